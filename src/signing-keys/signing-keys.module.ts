import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { SigningKeysService } from './signing-keys.service.js';

/** The keys that access tokens are signed with. */
@Module({
  imports: [AuthModule],
  controllers: [SigningKeysController],
  providers: [SigningKeysService],
  exports: [SigningKeysService],
})
export class SigningKeysModule {}
