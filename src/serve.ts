import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.js';
import { Checkpoints } from './audit/checkpoints.js';
import type { Config } from './config.js';
import { Metrics } from './http/metrics.js';
import { RequestCounter } from './limits/request-counter.js';
import { prepareFirstStart } from './setup/first-start.js';
import { welcome } from './welcome.js';
import type { Primary } from './workers/worker.js';

/** Within ten seconds of SIGTERM the process is gone, whatever still hangs. */
const CLOSE_WITHIN_MS = 9_500;

/**
 * Serves in this process until SIGTERM or SIGINT; answers when it listens. A worker has a primary: it counts with the others,
 * leaves the first start to the first of them, and stops when its primary is gone. Errors: whatever keeps it from starting.
 */
export async function serve(config: Config, primary: Primary | undefined): Promise<void> {
  const app = await createApp({ config });
  // Where the process's output is collected, nobody who holds the database can take them back.
  app.get(Checkpoints).printTo((line) => process.stdout.write(line));
  if (primary !== undefined) countTogether(app, primary);
  const { setupLink } = (primary?.isFirst ?? true) ? await prepareFirstStart(app) : {};
  const stop = stopper(app);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  primary?.onceGone(stop);
  await app.listen(config.port, config.host);
  const { port } = app.getHttpServer().address() as { port: number };
  const listening = { port, ...(setupLink === undefined ? {} : { setupLink }) };
  if (primary !== undefined) return primary.listens(listening);
  // For people, and with a one-time token in it: standard output only, never the logger.
  process.stdout.write(welcome(config, listening));
}

/** What one worker counts holds for all, and `/metrics` is the same whoever answers. */
function countTogether(app: NestFastifyApplication, primary: Primary): void {
  const metrics = app.get(Metrics);
  primary.onMeasure(() => metrics.measure());
  metrics.sumOver(() => primary.measureAll());
  app.get(RequestCounter).countWith((keys) => primary.count(keys));
}

/** Once: stops being ready, answers what has begun, writes what waits for the trail, and exits. */
function stopper(app: NestFastifyApplication): () => void {
  let isStopping = false;
  return () => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
    void app.close().then(() => process.exit(0));
  };
}
