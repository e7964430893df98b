import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/allow.decorator.js';
import {
  AuditEvent,
  AuditEventPage,
  AuditEventsQuery,
  Verification,
  VerifyQuery,
} from './audit.dto.js';
import { AuditService } from './audit.service.js';
import { PageQuery } from '../http/pagination.js';
import { CheckpointPage } from './checkpoints.dto.js';
import { ChainVerifier } from './verify.js';

@ApiTags('Audit trail')
@Controller('v1/organizations/:organizationId/audit-events')
export class AuditEventsController {
  constructor(
    private readonly audit: AuditService,
    private readonly verifier: ChainVerifier,
  ) {}

  /** Lists the organization's audit trail, newest first. */
  @Get()
  @Allow('audit:read')
  list(
    @Param('organizationId') organizationId: string,
    @Query() query: AuditEventsQuery,
  ): Promise<AuditEventPage> {
    return this.audit.list(organizationId, query);
  }

  /** Recomputes the organization's chain and names the first event that was tampered with. */
  @Get('verify')
  @Allow('audit:read')
  verify(
    @Param('organizationId') organizationId: string,
    @Query() query: VerifyQuery,
  ): Promise<Verification> {
    return this.verifier.verify(organizationId, query);
  }

  /** Lists the signed checkpoints of the organization's chain, oldest first: what `claviger verify` checks an export against. */
  @Get('checkpoints')
  @Allow('audit:read')
  checkpoints(
    @Param('organizationId') organizationId: string,
    @Query() query: PageQuery,
  ): Promise<CheckpointPage> {
    return this.audit.checkpoints(organizationId, query);
  }

  /** Shows one event of the organization's audit trail. */
  @Get(':eventId')
  @Allow('audit:read')
  get(
    @Param('organizationId') organizationId: string,
    @Param('eventId') eventId: string,
  ): Promise<AuditEvent> {
    return this.audit.get(organizationId, eventId);
  }
}
