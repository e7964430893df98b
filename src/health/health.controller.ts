import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { timingSafeEqual } from 'node:crypto';
import { Public } from '../auth/allow.decorator.js';
import { CONFIG, type Config } from '../config.js';
import { Metrics } from '../http/metrics.js';
import { unauthorized } from '../http/problem.js';
import { Health } from './health.dto.js';
import { HealthService } from './health.service.js';

/** Probes and metrics. They need no key and are not on the audit trail. */
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(
    private readonly service: HealthService,
    private readonly measured: Metrics,
    @Inject(CONFIG) private readonly config: Pick<Config, 'metricsToken'>,
  ) {}

  /** Says that the process answers. */
  @Public()
  @Get('health/live')
  live(): Health {
    return { status: 'ok' };
  }

  /** Says whether the server should get requests: it is not shutting down and the database answers. */
  @Public()
  @Get('health/ready')
  async ready(): Promise<Health> {
    await this.service.assertReady();
    return { status: 'ok' };
  }

  /** Metrics in the Prometheus text format. */
  @Public()
  @ApiOperation({
    description: 'Needs no credential; with `METRICS_TOKEN` set, that token as bearer.',
  })
  @ApiSecurity({})
  @ApiBearerAuth()
  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiProduces('text/plain')
  @ApiOkResponse({
    schema: { type: 'string', example: 'claviger_audit_gate_queue_depth 0' },
    description: 'The metrics.',
  })
  metrics(@Req() { headers }: FastifyRequest): Promise<string> {
    const { metricsToken } = this.config;
    if (metricsToken !== undefined) checkToken(headers.authorization, metricsToken);
    return this.measured.expose();
  }
}

function checkToken(authorization: string | undefined, expected: string): void {
  if (authorization === undefined) throw unauthorized('missing');
  const given = Buffer.from(/^bearer (\S+)$/i.exec(authorization)?.[1] ?? '');
  const wanted = Buffer.from(expected);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw unauthorized('invalid');
  }
}
