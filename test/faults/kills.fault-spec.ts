import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { killLeftovers, type ServerProcess } from '../process.js';
import { type Installation, makeParties, newInstallation } from './installation.js';
import { Ledger } from './ledger.js';
import { startLoad } from './load.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
/** Under load before each kill: long enough for requests, changes and batches to be on their way. */
const LOAD_MS = 700;

afterAll(killLeftovers);

/** Kills it `ROUNDS` times under load, `recover` brings it back; then everything is held against the trail. */
async function killUnderLoad(
  installation: Installation,
  kill: (server: ServerProcess) => Promise<ServerProcess>,
): Promise<object> {
  let server = await installation.start();
  const parties = await makeParties(server.client);
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const end = startLoad(parties, ledger);
    // Not always at the same moment of what goes on.
    await delay(LOAD_MS + Math.random() * 300);
    server = await kill(server);
    await end();
  }
  const reconciled = await ledger.reconcile(parties);
  expect(reconciled.createdKeys).toBeGreaterThan(ROUNDS);
  expect(await server.stop()).toBe(0);
  return { kills: ROUNDS, ...reconciled, statuses: ledger.statuses() };
}

async function killServer(installation: Installation, server: ServerProcess) {
  await server.stop('SIGKILL');
  return installation.start();
}

describe('on PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(() => postgres?.end());

  it('a server that is killed loses no record of what it answered', async () => {
    const installation = await newInstallation({
      DATABASE_URL: await postgres.createDatabase('server_kills'),
    });
    const result = await killUnderLoad(installation, (server) => killServer(installation, server));
    report('kill -9 of the server, on PostgreSQL', result);
  });

  it('a PostgreSQL that is killed neither', async () => {
    const installation = await newInstallation({
      DATABASE_URL: await postgres.createDatabase('database_kills'),
    });
    const result = await killUnderLoad(installation, async (server) => {
      postgres.crash();
      await delay(200);
      await postgres.restart();
      await eventually(async () =>
        (await server.client.get('/health/ready')).status === 200 ? true : undefined,
      );
      return server;
    });
    report('kill -9 of PostgreSQL', result);
  });
});

describe('on the embedded database', () => {
  it('a server that is killed loses no record of what it answered', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-kills-'));
    try {
      const installation = await newInstallation({ DATA_DIR: directory });
      const result = await killUnderLoad(installation, (server) =>
        killServer(installation, server),
      );
      report('kill -9 of the server, embedded', result);
    } finally {
      killLeftovers();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
