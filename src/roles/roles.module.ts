import { Module } from '@nestjs/common';
import { PermissionsController } from './permissions.controller.js';
import { RolesController } from './roles.controller.js';
import { RolesService } from './roles.service.js';

/** Roles and the catalogue of permissions. */
@Module({ controllers: [PermissionsController, RolesController], providers: [RolesService] })
export class RolesModule {}
