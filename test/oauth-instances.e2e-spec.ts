import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { emptyDatabase, onPostgres } from './database.js';
import type { Client } from './harness.js';
import { killLeftovers, type ServerProcess, startProcess } from './process.js';

/** Two processes on one database: PGlite has exactly one by design. */
const describeOnPostgres = onPostgres ? describe : describe.skip;

const ADMIN = {
  ADMIN_EMAIL: 'ada@example.com',
  ADMIN_PASSWORD: 'a long enough passphrase',
  ORGANIZATION_NAME: 'Acme',
};
const REVOCATIONS = 50;
const LOOPS = 64;

/** What the clients know, by one clock: when each question was asked, and when each revocation had returned. */
interface Key {
  path: string;
  token: string;
  revokedAt: number;
  /** When questions with the answer `active: true` were asked. */
  activeAt: number[];
  inactive: number;
}

afterAll(killLeftovers);

describeOnPostgres('introspection on two instances under load', () => {
  let servers: ServerProcess[];
  let database: { url: string; cleanup(): Promise<void> };

  beforeAll(async () => {
    database = await emptyDatabase();
    const env = {
      DATABASE_URL: database.url,
      PEPPER: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'warn',
      ...ADMIN,
    };
    servers = [await startProcess(env), await startProcess(env)];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.cleanup();
  });

  it('answers no question with active: true that was asked after the revocation had returned', async () => {
    const [first, second] = servers as [ServerProcess, ServerProcess];
    const { client, path } = await logIn(first);
    await client.patch(path, { settings: { requestsPerMinute: 1_000_000 } });
    const made = await client.post(`${path}/service-accounts`, { name: 'API', role: 'verifier' });
    const verifiers = [first, second].map((one) => one.client.withToken(made.body.key.token));
    const keys = await Promise.all(
      Array.from({ length: REVOCATIONS }, (_, index) => aKeyOf(client, path, index)),
    );
    const faults: unknown[] = [];
    let isAsking = true;
    let asked = 0;
    let awaited = Infinity;
    let wake = () => {};
    const askedMore = (count: number) =>
      new Promise<void>((resolve) => {
        awaited = asked + count;
        wake = resolve;
      });
    const startedAt = performance.now();
    const loops = Array.from({ length: LOOPS }, async (_, loop) => {
      for (let turn = loop; isAsking; turn += 1) {
        const key = keys[turn % keys.length]!;
        const begun = performance.now();
        const verifier = verifiers[(turn + Math.floor(turn / keys.length)) % 2]!;
        const { status, body } = await introspect(verifier, key.token);
        asked += 1;
        if (asked === awaited) wake();
        if (status !== 200) faults.push({ status, body });
        else if (body.active === true) key.activeAt.push(begun);
        else key.inactive += 1;
      }
    });
    // Through the one and the other instance, with some hundred questions between two of them.
    for (const [index, key] of keys.entries()) {
      await askedMore(250);
      const through = index % 2 === 0 ? client : second.client.withToken(client.token);
      const { status } = await through.delete(key.path);
      key.revokedAt = performance.now();
      expect(status).toBe(204);
    }
    // The loops may stand close together, and so take a while until they come by at each key again.
    while (keys.some(({ inactive }) => inactive === 0) && faults.length === 0) {
      await askedMore(keys.length);
    }
    isAsking = false;
    await Promise.all(loops);
    agent.destroy();
    const perSecond = asked / ((performance.now() - startedAt) / 1_000);
    console.info(`${asked} introspections, ${Math.round(perSecond)} a second`);
    expect(faults).toEqual([]);
    for (const { activeAt, inactive, revokedAt } of keys) {
      expect(activeAt.length).toBeGreaterThan(0);
      expect(inactive).toBeGreaterThan(0);
      expect(activeAt.filter((begun) => begun > revokedAt)).toEqual([]);
    }
    const verification = await client.get(`${path}/audit-events/verify?limit=100000`);
    expect(verification.body.valid).toBe(true);
  }, 180_000);
});

const agent = new Agent({ keepAlive: true, maxSockets: LOOPS });

/** With less work than `fetch` makes: the clients share the cores with the servers. */
function introspect({ url, token }: Client, asked: string) {
  return new Promise<{ status: number | undefined; body: { active?: boolean } }>(
    (resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const options = { method: 'POST', agent, headers };
      const sent = request(`${url}/oauth/introspect`, options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(text) }));
      });
      sent.on('error', reject).end(new URLSearchParams({ token: asked }).toString());
    },
  );
}

async function logIn(server: ServerProcess): Promise<{ client: Client; path: string }> {
  const { body } = await server.client.post('/v1/sessions', {
    email: ADMIN.ADMIN_EMAIL,
    password: ADMIN.ADMIN_PASSWORD,
  });
  return {
    client: server.client.withToken(body.token),
    path: `/v1/organizations/${body.organizations[0].id}`,
  };
}

/** Of an account of its own, as an account may have few keys. */
async function aKeyOf(client: Client, path: string, index: number): Promise<Key> {
  const { status, body } = await client.post(`${path}/service-accounts`, {
    name: `Integration ${index}`,
    role: 'viewer',
  });
  expect(status).toBe(201);
  const own = `${path}/service-accounts/${body.serviceAccount.id}/keys/${body.key.id}`;
  return { path: own, token: body.key.token, revokedAt: Infinity, activeAt: [], inactive: 0 };
}
