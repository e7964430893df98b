import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Actor, CurrentActor } from '../auth/actor.js';
import { Allow } from '../auth/allow.decorator.js';
import { ETagged } from '../http/etagged.js';
import { Creates } from '../idempotency/idempotent.decorator.js';
import { readablePage } from './organization-access.js';
import {
  Organization,
  OrganizationCreateInput,
  OrganizationPage,
  OrganizationsQuery,
  OrganizationUpdateInput,
} from './organizations.dto.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('Organizations')
@Controller('v1/organizations')
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  /** Creates an organization with the caller as its owner. */
  @Post()
  @Allow('instanceAdministrator')
  @Creates((organization: Organization) => `/v1/organizations/${organization.id}`)
  create(
    @CurrentActor() actor: Actor,
    @Body() input: OrganizationCreateInput,
  ): Promise<Organization> {
    return this.organizations.create(actor, input);
  }

  /** Lists the caller's organizations; an instance administrator sees all. */
  @Get()
  @Allow('any')
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: OrganizationsQuery,
    @Req() request: FastifyRequest,
  ): Promise<OrganizationPage> {
    const page = await this.organizations.list(actor, query);
    request.recompute = (again) => readablePage(again, page);
    return readablePage(actor, page);
  }

  /** Shows one organization. */
  @Get(':organizationId')
  @Allow('organization:read')
  @ETagged()
  get(@Param('organizationId') organizationId: string): Promise<Organization> {
    return this.organizations.get(organizationId);
  }

  /** Changes an organization's name and settings; what is left out stays as it is. */
  @Patch(':organizationId')
  @Allow('organization:manage', { dangerous: true })
  @ETagged()
  update(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
    @Body() input: OrganizationUpdateInput,
  ): Promise<Organization> {
    return this.organizations.update(actor, organizationId, input);
  }

  /** Deletes an organization: its keys stop working at once; its audit trail is kept. */
  @Delete(':organizationId')
  @Allow('organization:delete', { dangerous: true })
  @ETagged()
  @HttpCode(204)
  delete(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
  ): Promise<void> {
    return this.organizations.delete(actor, organizationId);
  }

  /** Suspends an organization: its keys are refused, its members can only look at it. */
  @Post(':organizationId/suspend')
  @Allow('instanceAdministrator', { dangerous: true })
  @ETagged()
  @HttpCode(200)
  suspend(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
  ): Promise<Organization> {
    return this.organizations.suspend(actor, organizationId);
  }

  /** Ends a suspension. */
  @Post(':organizationId/resume')
  @Allow('instanceAdministrator', { dangerous: true })
  @ETagged()
  @HttpCode(200)
  resume(
    @CurrentActor() actor: Actor,
    @Param('organizationId') organizationId: string,
  ): Promise<Organization> {
    return this.organizations.resume(actor, organizationId);
  }
}
