import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { createLogger, type Logger, logRequest, NestLogger } from '../logging.js';
import type { Tracing } from '../tracing/tracing.js';
import type { Metrics } from './metrics.js';
import { ProblemFilter } from './problem.filter.js';
import { routeOf } from './route.js';
import { createServer } from './server.js';
import { StrictValidationPipe } from './validation.js';

/** Everything that Nest can make an application of. */
type RootModule = Parameters<typeof NestFactory.create>[0];

/** What the platform needs. */
export interface PlatformOptions {
  config: Pick<Config, 'publicUrl' | 'trustedProxies' | 'corsOrigins' | 'logLevel'>;
  /** Where the server logs; stdout in JSON by default. */
  logger?: Logger;
  tracing?: Tracing;
  /** The last chance to add hooks and routes, all providers being there. The metrics that it returns are kept up to date. */
  beforeInit?: (app: NestFastifyApplication, fastify: FastifyInstance) => Metrics | undefined;
}

/** Headers that scripts of other origins may read. */
const EXPOSED_HEADERS = [
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Sunset',
  'WWW-Authenticate',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
];
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
];
const PREFLIGHT_SECONDS = 600;

/**
 * The HTTP platform around a module: limits, strict parsing and validation, problem+json, security headers, CORS. The
 * application is initialized, but neither listens nor handles signals yet.
 */
export async function createHttpApp(
  module: RootModule,
  { config, beforeInit, tracing, logger = createLogger(config) }: PlatformOptions,
): Promise<NestFastifyApplication> {
  // Filled once there are providers; answers are counted only after that.
  const observed: { metrics?: Metrics } = {};
  const fastify = createServer({
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    countBelowRouter: (status) => observed.metrics?.refusedBelowRouter(status),
    tracing,
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    module,
    new FastifyAdapter(fastify as never),
    { abortOnError: false, bodyParser: false, logger: new NestLogger(logger) },
  );
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(new StrictValidationPipe());
  if (config.corsOrigins.length > 0) enableCors(app, config.corsOrigins);
  observeAnswers(fastify, logger, observed);
  observed.metrics = beforeInit?.(app, fastify);
  await app.init();
  await fastify.ready();
  return app;
}

/** Bearer tokens only: a cookie never counts for another origin. */
function enableCors(app: NestFastifyApplication, origins: string[]): void {
  app.enableCors({
    origin: origins,
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // Any other OPTIONS is a wrong method, not a malformed preflight answered in plain text.
    strictPreflight: false,
  });
}

/** Counts every answer; logs it only at level debug, as each is on the audit trail anyway. */
function observeAnswers(
  fastify: FastifyInstance,
  logger: Logger,
  observed: { metrics?: Metrics },
): void {
  const isVerbose = logger.isLevelEnabled('debug');
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method, context } = request;
    const route = routeOf(request).url || 'none';
    const durationMs = performance.now() - context.startedAt;
    const status = reply.statusCode;
    observed.metrics?.answered(method, route, status, durationMs / 1_000);
    if (isVerbose) logRequest(logger, { requestId: context.id, method, route, status, durationMs });
    done();
  });
}
