import { Module } from '@nestjs/common';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { OrganizationKeysController } from './organization-keys.controller.js';

/** Keys: the API tokens of service accounts. */
@Module({
  controllers: [KeysController, OrganizationKeysController],
  providers: [KeysService],
})
export class KeysModule {}
