import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import {
  OrganizationPermission,
  OrganizationPermissionPage,
  OrganizationPermissionsQuery,
  PermissionCreateInput,
  PermissionUpdateInput,
} from './permissions.dto.js';
import { PermissionsService } from './permissions.service.js';

@ApiTags('Permissions')
@Controller('v1/organizations/:organizationId/permissions')
export class OrganizationPermissionsController {
  constructor(private readonly permissions: PermissionsService) {}

  /**
   * Lists every permission that a role of the organization can grant, built-in and registered.
   * @remarks What a picker or a matrix of roles needs: names and sentences of both kinds. `builtIn=false`: only registered ones.
   */
  @Get()
  @Allow('roles:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: OrganizationPermissionsQuery,
  ): Promise<OrganizationPermissionPage> {
    return this.permissions.list(organizationId, query);
  }

  /**
   * Registers a permission of an API that the organization protects.
   * @remarks Owners and administrators hold it at once; whoever else registers it does not, and cannot grant it. 400 with
   * `reserved_namespace` for a namespace of the built-in permissions, 409 `name_taken`, and 409 `permission_limit` after 500.
   */
  @Post()
  @Allow('roles:manage')
  @Creates(
    (made: OrganizationPermission, path) =>
      `/v1/organizations/${path['organizationId']}/permissions/${made.permission}`,
  )
  create(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: PermissionCreateInput,
  ): Promise<OrganizationPermission> {
    return this.permissions.create(actor, organizationId, input);
  }

  /** Shows one permission, built-in or registered. */
  @Get(':permission')
  @Allow('roles:read')
  @ETagged()
  get(
    @Param('organizationId') organizationId: string,
    @Param('permission') permission: string,
  ): Promise<OrganizationPermission> {
    return this.permissions.get(organizationId, permission);
  }

  /**
   * Changes the description of a registered permission.
   * @remarks The caller must hold it: administrators grant by this sentence. 409 `built_in_permission`.
   */
  @Patch(':permission')
  @Allow('roles:manage')
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('permission') permission: string,
    @Body() input: PermissionUpdateInput,
  ): Promise<OrganizationPermission> {
    return this.permissions.update(actor, organizationId, permission, input);
  }

  /**
   * Removes a registered permission that is not in use.
   * @remarks It is taken from owners and administrators too, so the caller must hold it. 409 `permission_in_use` names custom roles
   * that list it and usable keys that are restricted to it; 409 `built_in_permission`.
   */
  @Delete(':permission')
  @Allow('roles:manage')
  @ETagged()
  @HttpCode(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Param('permission') permission: string,
  ): Promise<void> {
    return this.permissions.delete(actor, organizationId, permission);
  }
}
