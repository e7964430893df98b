import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { AuditGate } from './audit/gate.js';
import type { Config } from './config.js';
import { Metrics } from './http/metrics.js';
import { createHttpApp } from './http/platform.js';
import { RequestLimits } from './limits/request-limits.js';
import type { Logger } from './logging.js';
import { serveOpenApi } from './openapi/serve.js';
import { servePanel } from './panel/serve.js';
import { openTracing } from './tracing/tracing.js';

/** What `createApp` needs. */
export interface AppOptions {
  config: Config;
  /** Where the server logs; stdout in JSON by default. */
  logger?: Logger;
}

/**
 * The whole application, initialized but not yet listening: shared by the server, its tests and tools. It has opened (and,
 * where needed, migrated) its database. It is up to the caller to handle signals: `app.enableShutdownHooks`.
 * Errors: whatever keeps the server from starting.
 */
export async function createApp({ config, logger }: AppOptions): Promise<NestFastifyApplication> {
  const tracing = await openTracing(config);
  return createHttpApp(AppModule.register(config, tracing), {
    config,
    logger,
    tracing,
    beforeInit: (app, fastify) => {
      serveOpenApi(app, fastify);
      servePanel(fastify);
      app.get(RequestLimits).install(fastify);
      app.get(AuditGate).install(fastify);
      return app.get(Metrics);
    },
  });
}
