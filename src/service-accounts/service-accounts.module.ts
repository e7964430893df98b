import { Module } from '@nestjs/common';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** Service accounts, each made together with its first key. */
@Module({ controllers: [ServiceAccountsController], providers: [ServiceAccountsService] })
export class ServiceAccountsModule {}
