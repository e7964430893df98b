import { Module } from '@nestjs/common';
import { OrganizationPermissionsController } from './permissions.controller.js';
import { PermissionsService } from './permissions.service.js';

/** The permissions that an organization registers for its own APIs. */
@Module({ controllers: [OrganizationPermissionsController], providers: [PermissionsService] })
export class PermissionsModule {}
