import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KeyUsageService } from './key-usage.service.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { OrganizationKeysController } from './organization-keys.controller.js';
import { OwnKeyController } from './rotate-own.controller.js';
import { RotationService } from './rotate.service.js';

/** Keys: the API tokens of service accounts. */
@Module({
  imports: [AuditModule],
  controllers: [KeysController, OrganizationKeysController, OwnKeyController],
  providers: [KeysService, KeyUsageService, RotationService],
  exports: [KeysService],
})
export class KeysModule {}
