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

@ApiTags('Instance')
@Controller('v1/audit-events')
export class InstanceAuditEventsController {
  constructor(
    private readonly audit: AuditService,
    private readonly verifier: ChainVerifier,
  ) {}

  /** Lists the trail of what belongs to no organization: logins, set-up, strangers. Newest first. */
  @Get()
  @Allow('instanceAdministrator')
  list(@Query() query: AuditEventsQuery): Promise<AuditEventPage> {
    return this.audit.list(null, query);
  }

  /** Recomputes the instance's own chain and names the first event that was tampered with. */
  @Get('verify')
  @Allow('instanceAdministrator')
  verify(@Query() query: VerifyQuery): Promise<Verification> {
    return this.verifier.verify(null, query);
  }

  /** Lists the signed checkpoints of the instance's own chain, oldest first. */
  @Get('checkpoints')
  @Allow('instanceAdministrator')
  checkpoints(@Query() query: PageQuery): Promise<CheckpointPage> {
    return this.audit.checkpoints(null, query);
  }

  /** Shows one event of the instance's own audit trail. */
  @Get(':eventId')
  @Allow('instanceAdministrator')
  get(@Param('eventId') eventId: string): Promise<AuditEvent> {
    return this.audit.get(null, eventId);
  }
}
