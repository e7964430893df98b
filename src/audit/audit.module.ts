import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuditEventsController } from './audit-events.controller.js';
import { AuditExport } from './audit-export.js';
import { AuditService } from './audit.service.js';
import { Checkpoints } from './checkpoints.js';
import { AuditGate } from './gate.js';
import { HeadSeals } from './head-seals.js';
import { InstanceAuditEventsController } from './instance-audit-events.controller.js';
import { TrailCare } from './trail-care.js';
import { UsageCounter } from './usage-counter.js';
import { ChainVerifier } from './verify.js';

/** The audit trail: the gate that writes it, and the operations that read and verify it. */
@Module({
  imports: [AuthModule],
  controllers: [AuditEventsController, InstanceAuditEventsController],
  providers: [
    AuditExport,
    AuditGate,
    AuditService,
    ChainVerifier,
    Checkpoints,
    HeadSeals,
    TrailCare,
    UsageCounter,
  ],
  exports: [AuditExport, AuditGate, UsageCounter],
})
export class AuditModule {}
