import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/allow.decorator.js';
import { PermissionPage } from './roles.dto.js';
import { RolesService } from './roles.service.js';

@ApiTags('Roles')
@Controller('v1/permissions')
export class PermissionsController {
  constructor(private readonly roles: RolesService) {}

  /** Lists the built-in permissions. With those of its own APIs, an organization lists them under its own path. */
  @Get()
  @Allow('any')
  list(): PermissionPage {
    return this.roles.permissions();
  }
}
