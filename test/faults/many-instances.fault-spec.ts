import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { Client } from '../client.js';
import { killLeftovers, type ServerProcess } from '../process.js';
import { type Installation, makeParties, newInstallation, type Parties } from './installation.js';
import { expectValid } from './ledger.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';

const IS_FULL = Number(process.env.FAULT_ROUNDS ?? 2) >= 20;
const INSTANCES = 4;
const CHANGES = IS_FULL ? 500 : 56;
const REQUESTS = IS_FULL ? 100_000 : 1_500;
/** Credentials that are in use at any time, each at every instance. */
const CREDENTIALS = 8;
/** Requests that are sent with a credential once it is no good any more, at every instance. */
const LATE_REQUESTS = 3;

let postgres: PostgresServer;
let installation: Installation;
let servers: ServerProcess[];
let parties: Parties;

beforeAll(async () => {
  postgres = await PostgresServer.start({ max_connections: 200 });
  installation = await newInstallation({
    DATABASE_URL: await postgres.createDatabase('instances'),
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const start = () => installation.start({ PORT: '0' });
  servers = [await start()];
  while (servers.length < INSTANCES) servers.push(await start());
  parties = await makeParties(servers[0]!.client);
  const role = { key: 'nothing', name: 'Nothing', permissions: ['users:read'] };
  expect((await parties.admin.post(`${parties.path}/roles`, role)).status).toBe(201);
});
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.stop()));
  killLeftovers();
  postgres?.end();
});

/** A service account with one key, which may list accounts until something is changed. */
interface Credential {
  token: string;
  account: string;
  key: string;
  /** When the change that ends it had returned. */
  endedAt: number;
}

let count = 0;

async function newCredential(admin: Client): Promise<Credential> {
  const name = `Target ${(count += 1)}`;
  const { body } = await admin.post(`${parties.path}/service-accounts`, { name, role: 'viewer' });
  const account = `${parties.path}/service-accounts/${body.serviceAccount.id}`;
  const key = `${account}/keys/${body.key.id}`;
  return { token: body.key.token, account, key, endedAt: Infinity };
}

type Change = (admin: Client, credential: Credential) => Promise<{ status: number }>;

/** Each takes from its credential what it has been doing. */
const ENDINGS: Record<string, Change> = {
  revoked: (admin, { key }) => admin.delete(key),
  disabled: (admin, { account }) => admin.post(`${account}/disable`),
  'of a lesser role': (admin, { account }) => admin.patch(account, { role: 'nothing' }),
  narrowed: (admin, { key }) => admin.patch(key, { permissions: ['users:read'] }),
  'bound to other networks': (admin, { key }) =>
    admin.patch(key, { allowedCidrs: ['203.0.113.0/24'] }),
  deleted: (admin, { account }) => admin.delete(account),
  'expired by the clock': async (admin, { key }) => {
    const soon = new Date(Date.now() + 1_200);
    const changed = await admin.patch(key, { expiresAt: soon.toISOString() });
    while (Date.now() <= soon.getTime() + 5) await turn();
    return changed;
  },
};

/** A new address for each request: refusals from a single one would be a flood. */
function address(): string {
  const octet = () => Math.floor(Math.random() * 250) + 1;
  return `198.18.${octet()}.${octet()}`;
}

describe('four instances on one PostgreSQL', () => {
  it('never accept a request begun after the change that forbids it had returned', async () => {
    const figures = { requests: 0, accepted: 0, refused: 0, wrong: [] as object[] };
    let isOver = false;
    let changes = 0;
    const current: (Credential | undefined)[] = Array.from({ length: CREDENTIALS });
    const ask = async (server: ServerProcess, credential: Credential): Promise<void> => {
      const begun = performance.now();
      const { status } = await server.client
        .withToken(credential.token)
        .get(`${parties.path}/service-accounts?limit=1`, { 'x-forwarded-for': address() });
      figures.requests += 1;
      if (status === 200) figures.accepted += 1;
      else figures.refused += 1;
      const isLate = begun > credential.endedAt;
      if (status === 200 ? isLate : ![401, 403].includes(status)) {
        figures.wrong.push({ status, lateMs: begun - credential.endedAt, key: credential.key });
      }
    };
    const readers = servers.map(async (server) => {
      for (let n = 0; !isOver; n += 1) {
        const credential = current[n % CREDENTIALS];
        if (credential === undefined) await turn();
        else await ask(server, credential);
      }
    });
    const changers = Array.from({ length: CREDENTIALS }, async (_, place) => {
      for (let n = place; n < CHANGES || figures.requests < REQUESTS; n += CREDENTIALS) {
        const admin = adminAt(n);
        const credential = await newCredential(admin);
        current[place] = credential;
        // Everybody has it in the cache before it ends.
        await Promise.all(servers.map((server) => ask(server, credential)));
        const endings = Object.entries(ENDINGS);
        const [what, end] = endings[n % endings.length]!;
        const { status } = await end(admin, credential);
        credential.endedAt = performance.now();
        expect({ what, isDone: status === 200 || status === 204 }).toEqual({ what, isDone: true });
        for (let late = 0; late < LATE_REQUESTS; late += 1) {
          await Promise.all(servers.map((server) => ask(server, credential)));
        }
        changes += 1;
      }
    });
    await Promise.all(changers).finally(() => {
      isOver = true;
    });
    await Promise.all(readers);
    expect(figures.wrong).toEqual([]);
    expect(figures.accepted).toBeGreaterThan(changes * INSTANCES);
    expect(figures.refused).toBeGreaterThanOrEqual(changes * INSTANCES * LATE_REQUESTS);
    await expectValid(parties.admin, parties.path);
    report('four instances', { changes, ...figures, wrong: figures.wrong.length });
  });
});

/** The administrator, by way of each instance in turn. */
function adminAt(n: number): Client {
  return servers[n % INSTANCES]!.client.withToken(parties.admin.token);
}
