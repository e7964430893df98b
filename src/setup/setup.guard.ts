import { type CanActivate, Injectable } from '@nestjs/common';
import { SetupService } from './setup.service.js';

/** After the set-up its route answers 404 to everything, before anything is read of the body. */
@Injectable()
export class SetupGuard implements CanActivate {
  constructor(private readonly setup: SetupService) {}

  async canActivate(): Promise<boolean> {
    await this.setup.requireOpen();
    return true;
  }
}
