import { Global, Module } from '@nestjs/common';
import { GateMetrics, Metrics } from '../http/metrics.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Probes and metrics. Global, because what is measured is everywhere. */
@Global()
@Module({
  controllers: [HealthController],
  providers: [HealthService, GateMetrics, Metrics],
  exports: [GateMetrics, Metrics],
})
export class HealthModule {}
