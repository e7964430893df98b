import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditGate } from '../src/audit/gate.js';
import { UsageCounter } from '../src/audit/usage-counter.js';
import { createToken } from '../src/crypto/token.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestKey,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { postForm, withAccessToken } from './oauth.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
});
afterAll(() => server.close());

const today = () => new Date().toISOString().slice(0, 10);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
const usageOf = (key: { path: string }, query = '') =>
  owner.client.get(`${key.path}/usage${query}`);

const from = (ip: string, userAgent = 'python-requests/2.31') => ({
  'x-forwarded-for': ip,
  'user-agent': userAgent,
});

async function aUsedKey(): Promise<TestKey> {
  const account = await aServiceAccount(server, organization);
  return aKey(server, organization, account, { name: 'Old' });
}

/** Writes usage of another day. */
async function used(key: TestKey, day: Date, more: { route?: string; ip?: string } = {}) {
  await server.database.system((tx) =>
    tx.keyUsage.create({
      data: {
        organizationId: organization.id,
        keyId: key.id,
        day,
        route: 'GET /v1/me',
        ip: '192.0.2.1',
        client: 'curl/8.5.0',
        requests: 7,
        refused: 0,
        lastUsedAt: day,
        ...more,
      },
    }),
  );
}

describe('GET …/keys/{keyId}/usage', () => {
  it('200: by operation, address and client', async () => {
    const key = await aUsedKey();
    await key.client.get('/v1/me', from('203.0.113.7'));
    await key.client.get('/v1/me', from('203.0.113.7', 'python-requests/2.31 (build 9)'));
    await key.client.get('/v1/me', from('203.0.113.8', 'curl/8.5.0'));
    await key.client.get(`${organization.path}/roles/viewer`, from('203.0.113.7'));
    await key.client.get('/v1/nothing', from('203.0.113.7'));
    await key.client.get(`${organization.path}/audit-events`, from('203.0.113.7')); // 403
    const { status, body } = await usageOf(key);
    expect(status).toBe(200);
    const row = (route: string, ip: string, client: string, requests: number, denied = 0) => ({
      day: today(),
      keyId: key.id,
      route,
      ip,
      client,
      requests,
      denied,
      refused: 0,
      lastUsedAt: expect.stringMatching(/Z$/),
      lastRefusedAt: null,
    });
    expect(body).toEqual({
      from: daysAgo(29).toISOString().slice(0, 10),
      to: today(),
      keys: [
        {
          id: key.id,
          name: 'Old',
          relation: 'this',
          status: 'active',
          expiresAt: null,
          requests: 6,
          denied: 1,
          refused: 0,
          lastUsedAt: expect.stringMatching(/Z$/),
          lastRefusedAt: null,
        },
      ],
      data: expect.anything(),
      paging: {},
    });
    const expected = [
      row('GET /v1/me', '203.0.113.7', 'python-requests/2.31', 2),
      row('GET /v1/me', '203.0.113.8', 'curl/8.5.0', 1),
      row('GET /v1/organizations/{organizationId}/roles/{roleKey}', '203.0.113.7', 'python-requests/2.31', 1), // prettier-ignore
      row('GET *', '203.0.113.7', 'python-requests/2.31', 1),
      row('GET /v1/organizations/{organizationId}/audit-events', '203.0.113.7', 'python-requests/2.31', 1, 1), // prettier-ignore
    ];
    expect(body.data).toHaveLength(expected.length);
    expect(body.data).toEqual(expect.arrayContaining(expected));
  });

  it('200: adds up what was counted before', async () => {
    const key = await aUsedKey();
    for (let round = 1; round <= 3; round += 1) {
      await key.client.get(`${organization.path}/audit-events`, from('203.0.113.7'));
      expect((await usageOf(key)).body.data).toMatchObject([{ requests: round, denied: round }]);
    }
  });

  it('200: what is denied is what the trail says is denied', async () => {
    const place = await anOrganization(server, { requestsPerMinute: 3 });
    const account = await aServiceAccount(server, place);
    const boss = await aPerson(server, place);
    for (const path of ['/v1/nothing', `${place.path}/users/x`, `${place.path}/roles?limit=0`]) {
      await account.client.get(path);
    }
    for (let round = 0; round < 5; round += 1)
      await account.client.get(`${place.path}/audit-events`);
    const answers = [];
    for (let round = 0; round < 5; round += 1) answers.push(await account.client.get('/v1/me'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    const trail = await eventsOf(server, { chain: place.id });
    const denied = trail.filter(({ event }) => event.outcome === 'denied');
    expect([trail.length, denied.length]).toEqual([13, 7]);
    const { body } = await boss.client.get(`${account.path}/keys/${account.keyId}/usage`);
    expect(body.keys).toMatchObject([{ requests: 13, denied: 7, refused: 0 }]);
  });

  it('200: shows old and new key side by side, and who still uses the old one after its end', async () => {
    const key = await aUsedKey();
    await key.client.get('/v1/me', from('203.0.113.7'));
    const successor = await owner.client.post(`${key.path}/rotate`, { overlapSeconds: 0 });
    const fresh = server.client.withToken(successor.body.token);
    await fresh.get('/v1/me', from('203.0.113.8'));
    expect((await key.client.get('/v1/me', from('203.0.113.7'))).status).toBe(401);
    const { body } = await usageOf(key);
    expect(body.keys).toMatchObject([
      { id: key.id, relation: 'this', status: 'expired', requests: 1, refused: 1 },
      { id: successor.body.id, relation: 'successor', status: 'active', requests: 1, refused: 0 },
    ]);
    expect(body.keys[0].lastRefusedAt > body.keys[0].lastUsedAt).toBe(true);
    expect(body.data).toHaveLength(2);
    const other = await usageOf({ path: key.path.replace(key.id, successor.body.id) });
    expect(other.body.keys).toMatchObject([
      { id: successor.body.id, relation: 'this' },
      { id: key.id, relation: 'predecessor', refused: 1 },
    ]);
  });

  it('200: a wrong secret counts for nobody', async () => {
    const key = await aUsedKey();
    // Well-formed, with a checksum that is right: only the secret is another one.
    const forged = createToken(server.instance.tokenPrefix, 'key', key.id);
    const answer = await server.client.withToken(forged).get('/v1/me');
    const { event } = (
      await eventsOf(server, { requestId: answer.headers.get('x-request-id')! })
    )[0]!;
    expect([answer.status, event.reason]).toEqual([401, 'wrong_secret']);
    expect((await usageOf(key)).body.data).toEqual([]);
  });

  it('200: names 32 callers a day, the others together', async () => {
    const key = await aUsedKey();
    for (let caller = 1; caller <= 40; caller += 1) {
      await key.client.get('/v1/me', from(`203.0.113.${caller}`));
      if (caller === 20) await server.app.get(UsageCounter).flush();
    }
    const { body } = await usageOf(key, '?limit=200');
    expect(body.keys[0].requests).toBe(40);
    expect(body.data).toHaveLength(33);
    expect(body.data.filter((row: { ip: string }) => row.ip === 'other')).toMatchObject([
      { client: 'other', requests: 8 },
    ]);
    await key.client.get('/v1/me', from('203.0.113.1'));
    await key.client.get('/v1/me', from('198.51.100.1'));
    const again = await usageOf(key, '?limit=200');
    expect(again.body.data).toHaveLength(33);
    const requests = (ip: string) =>
      again.body.data.find((row: { ip: string }) => row.ip === ip).requests;
    expect([requests('203.0.113.1'), requests('other')]).toEqual([2, 9]);
  });

  it('200: keeps what it counts in memory small, whatever a client calls itself', async () => {
    const key = await aUsedKey();
    for (let number = 0; number < 130; number += 1) {
      await key.client.get('/v1/me', from('203.0.113.1', `client/${number}`));
    }
    const { body } = await usageOf(key, '?limit=200');
    expect(body.keys[0].requests).toBe(130);
    expect(body.data).toHaveLength(33);
  });

  it('200: pages through the days, latest first, each row once', async () => {
    const key = await aUsedKey();
    for (const days of [0, 1, 1, 2, 3]) {
      await used(key, daysAgo(days), { ip: `192.0.2.${Math.random()}` });
    }
    const seen: string[] = [];
    let query = '?limit=2';
    for (;;) {
      const { body } = await usageOf(key, query);
      seen.push(...body.data.map((row: { day: string; ip: string }) => `${row.day} ${row.ip}`));
      if (body.paging.next === undefined) break;
      query = `?limit=2&after=${body.paging.next.after}`;
    }
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    expect(seen.map((text) => text.slice(0, 10))).toEqual(
      [0, 1, 1, 2, 3].map((days) => daysAgo(days).toISOString().slice(0, 10)),
    );
  });

  it('200: pages through key and predecessor together; the totals are on the first page', async () => {
    const account = await aServiceAccount(server, organization);
    const key = { id: account.keyId, path: `${account.path}/keys/${account.keyId}` };
    const { body: rotated } = await owner.client.post(`${key.path}/rotate`, {
      overlapSeconds: 3_600,
    });
    const other = { id: rotated.id, path: `${account.path}/keys/${rotated.id}` };
    const expected: string[] = [];
    for (const { id } of [key, other]) {
      for (const days of [0, 1, 2]) {
        for (const route of ['GET /v1/me', 'GET /v1/roles']) {
          await used({ id } as TestKey, daysAgo(days), { route });
          expected.push(`${daysAgo(days).toISOString().slice(0, 10)} ${id} ${route}`);
        }
      }
    }
    const seen: string[] = [];
    const totals: unknown[] = [];
    for (let query = '?limit=5'; ;) {
      const { body } = await usageOf(other, query);
      totals.push(body.keys?.map(({ requests }: { requests: number }) => requests));
      for (const row of body.data) seen.push(`${row.day} ${row.keyId} ${row.route}`);
      if (body.paging.next === undefined) break;
      query = `?limit=5&after=${body.paging.next.after}`;
    }
    expect(seen).toEqual(expected.sort().reverse());
    expect(totals).toEqual([[42, 42], undefined, undefined]);
  });

  it('200: shows the days asked for', async () => {
    const key = await aUsedKey();
    for (const days of [0, 1, 40, 89, 90, 200]) await used(key, daysAgo(days));
    const count = async (query: string) => (await usageOf(key, query)).body.data.length;
    expect([await count('?days=1'), await count('?days=2'), await count('')]).toEqual([1, 2, 2]);
    expect(await count('?days=90')).toBe(4);
  });

  it.each(['?days=0', '?days=91', '?days=x', '?after=x'])('400: %s', async (query) => {
    expect((await usageOf(await aUsedKey(), query)).status).toBe(400);
  });

  it('403 without keys:read, 404 for what is not there', async () => {
    const key = await aUsedKey();
    const verifier = await aServiceAccount(server, organization, { role: 'verifier' });
    expect((await verifier.client.get(`${key.path}/usage`)).body.required).toBe('keys:read');
    expect((await usageOf({ path: `${key.path}x` })).status).toBe(404);
    const stranger = await aPerson(server, await anOrganization(server));
    expect((await stranger.client.get(`${key.path}/usage`)).status).toBe(404);
    const { path: other } = await aServiceAccount(server, organization);
    expect((await usageOf({ path: `${other}/keys/${key.id}` })).status).toBe(404);
  });
});

it('200: being asked about counts as use, from where the asking service says; asking counts for its own key', async () => {
  const key = await aUsedKey();
  const verifier = await aServiceAccount(server, organization, { role: 'verifier' });
  const ask = (fields: Record<string, string>) =>
    postForm(
      verifier.client,
      '/oauth/introspect',
      { token: key.token, ...fields },
      from('192.0.2.9'),
    );
  expect((await ask({ client_ip: '203.0.113.7' })).body.active).toBe(true);
  expect((await ask({})).body.active).toBe(true);
  expect((await ask({ required_scope: 'not:held' })).body).toEqual({ active: false });
  const route = 'POST /oauth/introspect';
  const { body } = await usageOf(key);
  expect(body.keys[0].requests).toBe(2);
  expect(body.data.map((row: { ip: string }) => row.ip).sort()).toEqual(['203.0.113.7', 'unknown']);
  expect(body.data).toMatchObject([{ route }, { route }]);
  const own = await usageOf({ path: `${verifier.path}/keys/${verifier.keyId}` });
  expect(own.body.data).toMatchObject([{ route, ip: '192.0.2.9', requests: 3 }]);
});

it('200: access tokens count for the key that they were made with', async () => {
  const account = await aServiceAccount(server, organization);
  const client = await withAccessToken(server.client, account);
  await client.get('/v1/me', from('203.0.113.7'));
  const { body } = await usageOf({ path: `${account.path}/keys/${account.keyId}` });
  const routes = body.data.map((row: { route: string }) => row.route).sort();
  expect(routes).toEqual(['GET /v1/me', 'POST /oauth/token']);
});

it('is not lost when the server is stopped', async () => {
  const stopped = await startServer();
  try {
    const place = await anOrganization(stopped);
    const account = await aServiceAccount(stopped, place);
    await account.client.get('/v1/me');
    const count = () => stopped.database.system((tx) => tx.keyUsage.count());
    expect(await count()).toBe(0);
    await stopped.app.get(AuditGate).onApplicationShutdown();
    expect(await count()).toBe(1);
  } finally {
    await stopped.close();
  }
});

it('leaves the key itself alone: neither its tag nor updatedAt moves', async () => {
  const key = await aUsedKey();
  const read = () =>
    server.database.system((tx) =>
      tx.key.findUniqueOrThrow({
        where: { id: key.id },
        select: { version: true, updatedAt: true },
      }),
    );
  const before = await read();
  await key.client.get('/v1/me', from('203.0.113.9'));
  expect((await usageOf(key)).body.keys[0].requests).toBe(1);
  expect(await read()).toEqual(before);
});
