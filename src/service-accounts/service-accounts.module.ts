import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ServiceAccountUsageService } from './account-usage.service.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** Service accounts, each made together with its first key. */
@Module({
  imports: [AuditModule],
  controllers: [ServiceAccountsController],
  providers: [ServiceAccountsService, ServiceAccountUsageService],
})
export class ServiceAccountsModule {}
