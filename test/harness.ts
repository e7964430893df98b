import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import { createApp } from '../src/app.js';
import type { Config } from '../src/config.js';
import { DatabaseService } from '../src/database/database.service.js';
import { Instance } from '../src/database/instance.js';
import type { FieldError } from '../src/http/problem.js';
import { createLogger } from '../src/logging.js';
import { remember, searchForSecrets } from './canary.js';
import { type Answer, Client } from './client.js';
import { testDatabase } from './database.js';

export { type Answer, Client } from './client.js';

/** One server over real HTTP on a database of its own. */
export interface TestServer {
  url: string;
  app: NestFastifyApplication;
  database: DatabaseService;
  instance: Instance;
  config: Config;
  /** Without a credential. */
  client: Client;
  /** What the server has logged, at level trace. */
  logs(): string;
  close(): Promise<void>;
}

const PEPPER = randomBytes(32);
remember(PEPPER.toString('base64'));
remember(PEPPER.toString('latin1'));

const DEFAULTS: Config = {
  port: 0,
  host: '127.0.0.1',
  publicUrl: 'http://localhost:3000',
  dataDir: '',
  pepper: PEPPER,
  trustedProxies: [],
  logLevel: 'trace',
  preparedStatements: process.env.PREPARED_STATEMENTS !== 'false',
  corsOrigins: [],
  accessTokenSeconds: 300,
  workers: 1,
};

/** Starts a server on an empty, migrated database; on a free port, if none is asked for. */
export async function startServer(overrides: Partial<Config> = {}): Promise<TestServer> {
  const { config: databaseConfig, cleanup } = await testDatabase();
  const config: Config = { ...DEFAULTS, ...databaseConfig, ...overrides };
  return serve(config, cleanup);
}

/** Starts one more server on the database of another one (PostgreSQL only). */
export function startSibling(server: TestServer): Promise<TestServer> {
  return serve({ ...server.config, port: 0 }, () => Promise.resolve());
}

async function serve(config: Config, cleanup: () => Promise<void>): Promise<TestServer> {
  let logs = '';
  const logger = createLogger(config, { write: (line: string) => void (logs += line) });
  const app = await createApp({ config, logger });
  await app.listen(config.port, '127.0.0.1');
  const address = app.getHttpServer().address() as { port: number };
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    app,
    database: app.get(DatabaseService),
    instance: app.get(Instance),
    config,
    client: new Client(url),
    logs: () => logs,
    close: async () => {
      await searchForSecrets(app.get(DatabaseService), logs);
      await app.close();
      await cleanup();
    },
  };
}

/** The events of one request, or of a whole chain, oldest first, with their bodies parsed. */
export async function eventsOf(
  server: TestServer,
  where: { chain?: string; requestId?: string; action?: string },
) {
  const rows = await server.database.system((tx) =>
    tx.auditEvent.findMany({ where, orderBy: [{ chain: 'asc' }, { sequence: 'asc' }] }),
  );
  return rows.map((row) => ({ ...row, event: JSON.parse(row.body) }));
}

/** The events that a request has put on the trail besides its own `http.request`. */
export async function changesOf(server: TestServer, answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  const events = await eventsOf(server, { requestId });
  return events.map(({ event }) => event).filter(({ action }) => action !== 'http.request');
}

/** The status of a refusal, and which fields were wrong. */
export const errorsOf = ({ status, body }: Answer) => [
  status,
  body.errors?.map((error: FieldError) => [error.pointer, error.code]),
];
