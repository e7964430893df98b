import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { setFlagsFromString } from 'node:v8';
import { createApp } from './app.js';
import { Checkpoints } from './audit/checkpoints.js';
import { type Config, loadConfig } from './config.js';
import { prepareFirstStart } from './setup/first-start.js';
import { explainStart } from './start-errors.js';

/** Within ten seconds of SIGTERM the process is gone, whatever still hangs. */
const CLOSE_WITHIN_MS = 9_500;

// Where there is memory, the engine collects only when what is alive has been outgrown several times: a long export, all of it
// garbage, would make the process grow by hundreds of megabytes. So it collects when the heap has grown by half.
setFlagsFromString('--heap-growing-percent=50');

try {
  await start(loadConfig(process.env));
} catch (error) {
  process.stderr.write(`${explainStart(error)}\n`);
  process.exit(1);
}

async function start(config: Config): Promise<void> {
  const app = await createApp({ config });
  // Where the process's output is collected, nobody who holds the database can take them back.
  app.get(Checkpoints).printTo((line) => process.stdout.write(line));
  const { setupLink } = await prepareFirstStart(app);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void stop(app));
  }
  await app.listen(config.port, config.host);
  // For people, and with a one-time token in it: standard output only, never the logger.
  process.stdout.write(welcome(config, app, setupLink));
}

/** Stops being ready, answers what has begun, writes what waits for the trail, and exits. */
async function stop(app: NestFastifyApplication): Promise<void> {
  setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
  await app.close();
  process.exit(0);
}

function welcome(config: Config, app: NestFastifyApplication, setupLink?: string): string {
  const { port } = app.getHttpServer().address() as { port: number };
  // Port 0 has only now become a real one.
  const url = config.port === 0 ? `http://localhost:${port}` : config.publicUrl;
  const lines = [
    'Claviger is ready.',
    `  Settings    ${url}/`,
    `  API         ${url}/v1`,
    `  Swagger UI  ${url}/docs`,
    `  OpenAPI     ${url}/openapi.json`,
    ...(setupLink === undefined
      ? []
      : [
          '',
          'There is no administrator yet. Set the first one up within 30 minutes:',
          `  ${setupLink.replace(config.publicUrl, url)}`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}
