import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { Role, RoleCreateInput, RolePage, RolesQuery, RoleUpdateInput } from './roles.dto.js';
import { RolesService } from './roles.service.js';

@ApiTags('Roles')
@Controller('v1/organizations/:organizationId/roles')
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  /** Lists the organization's roles, built-in and custom. */
  @Get()
  @Allow('roles:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: RolesQuery,
  ): Promise<RolePage> {
    return this.roles.list(organizationId, query);
  }

  /** Creates a custom role of permissions that the caller holds. */
  @Post()
  @Allow('roles:manage', { dangerous: true })
  @Creates((role: Role, path) => `/v1/organizations/${path['organizationId']}/roles/${role.key}`)
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: RoleCreateInput,
  ): Promise<Role> {
    return this.roles.create(actor, organizationId, input);
  }

  /** Shows one role. */
  @Get(':roleKey')
  @Allow('roles:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('roleKey') roleKey: string,
  ): Promise<Role> {
    return this.roles.get(organizationId, roleKey);
  }

  /** Changes a custom role for everybody who has it; what is left out stays as it is. */
  @Patch(':roleKey')
  @Allow('roles:manage', { dangerous: true })
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('roleKey') roleKey: string,
    @Body() input: RoleUpdateInput,
  ): Promise<Role> {
    return this.roles.update(actor, organizationId, roleKey, input);
  }

  /** Deletes a custom role that nobody has. */
  @Delete(':roleKey')
  @Allow('roles:manage')
  @ETagged()
  @HttpCode(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('roleKey') roleKey: string,
  ): Promise<void> {
    return this.roles.delete(actor, organizationId, roleKey);
  }
}
