import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { eventually } from './eventually.js';
import { startServer, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { asSeen } from './same-answer.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
});
afterAll(() => server.close());

const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000);
const text = (day: Date) => day.toISOString().slice(0, 10);
const usageOf = (account: { path: string }, query = '') =>
  owner.client.get(`${account.path}/usage${query}`);
const from = (ip: string) => ({ 'x-forwarded-for': ip });

/** Writes usage of a key on some day. */
async function used(
  keyId: string,
  daysAgo: number,
  counts: { requests?: number; denied?: number; refused?: number },
  route = 'GET /v1/me',
) {
  await server.database.system((tx) =>
    tx.keyUsage.create({
      data: {
        organizationId: organization.id,
        keyId,
        day: dayOf(daysAgo),
        route,
        ip: '192.0.2.1',
        client: 'curl/8.5.0',
        requests: 0,
        denied: 0,
        refused: 0,
        ...counts,
      },
    }),
  );
}

describe('GET …/service-accounts/{serviceAccountId}/usage', () => {
  it('200: an account that was never used has zeros for 30 days', async () => {
    const { status, body } = await usageOf(await aServiceAccount(server, organization));
    const none = { requests: 0, denied: 0, refused: 0 };
    const days = Array.from({ length: 30 }, (_, index) => text(dayOf(29 - index)));
    expect(status).toBe(200);
    expect(body).toEqual({
      from: days[0],
      to: days[29],
      lastUsed: null,
      totals: none,
      data: days.map((day) => ({ day, ...none })),
    });
  });

  it('200: counts what was asked just now, what was denied and what was refused', async () => {
    const account = await aServiceAccount(server, organization);
    const ended = await aKey(server, organization, account, { revokedAt: dayOf(1) });
    await account.client.get('/v1/me');
    await account.client.get('/v1/nothing');
    await account.client.get(`${organization.path}/audit-events`);
    await ended.client.get('/v1/me');
    const { body } = await usageOf(account, '?days=1');
    const counts = { requests: 3, denied: 1, refused: 1 };
    expect(body).toMatchObject({ totals: counts, data: [{ day: text(dayOf(0)), ...counts }] });
  });

  it('200: sums over days, operations and keys, revoked ones too, and over no other account', async () => {
    const account = await aServiceAccount(server, organization);
    const revoked = await aKey(server, organization, account, { revokedAt: dayOf(1) });
    await used(account.keyId, 0, { requests: 5, denied: 1 });
    await used(account.keyId, 0, { requests: 7, refused: 2 }, 'GET /v1/permissions');
    await used(revoked.id, 0, { requests: 100 });
    await used(revoked.id, 6, { requests: 20, denied: 20, refused: 1 });
    await used(revoked.id, 7, { requests: 3_000 });
    await used((await aServiceAccount(server, organization)).keyId, 0, { requests: 9 });
    const { body } = await usageOf(account, '?days=7');
    const none = { requests: 0, denied: 0, refused: 0 };
    expect(body.totals).toEqual({ requests: 132, denied: 21, refused: 3 });
    expect(body.data).toEqual([
      { day: text(dayOf(6)), requests: 20, denied: 20, refused: 1 },
      ...[5, 4, 3, 2, 1].map((daysAgo) => ({ day: text(dayOf(daysAgo)), ...none })),
      { day: text(dayOf(0)), requests: 112, denied: 1, refused: 2 },
    ]);
    expect((await usageOf(account, '?days=8')).body.totals.requests).toBe(3_132);
    expect((await usageOf(account, '?days=90')).body.data).toHaveLength(90);
  });

  it('200: sums that no 32-bit number holds', async () => {
    const account = await aServiceAccount(server, organization);
    for (const route of ['GET /a', 'GET /b']) {
      await used(account.keyId, 0, { requests: 2_000_000_000 }, route);
    }
    expect((await usageOf(account)).body.totals.requests).toBe(4_000_000_000);
  });

  it('200: tells the last use of any key, however long ago', async () => {
    const account = await aServiceAccount(server, organization);
    const touched = async (id: string, at: Date, ip: string | null) =>
      server.database.system((tx) =>
        tx.key.update({ where: { id }, data: { lastUsedAt: at, lastUsedIp: ip } }),
      );
    const revoked = await aKey(server, organization, account, { name: 'Old', revokedAt: dayOf(1) });
    await aKey(server, organization, account, { name: 'Fresh' });
    await touched(account.keyId, dayOf(300), '203.0.113.7');
    const lastUsed = async () => (await usageOf(account, '?days=1')).body.lastUsed;
    expect(await lastUsed()).toEqual({
      at: expect.stringMatching(/Z$/),
      ip: '203.0.113.7',
      key: { id: account.keyId, name: 'Default' },
    });
    const at = dayOf(200);
    await touched(revoked.id, at, null);
    const key = { id: revoked.id, name: 'Old' };
    expect(await lastUsed()).toEqual({ at: at.toISOString(), ip: null, key });
  });

  it('200: the last use is that of the last request', async () => {
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me', from('203.0.113.9'));
    const lastUsed = await eventually(async () => {
      return (await usageOf(account)).body.lastUsed ?? undefined;
    });
    expect(lastUsed).toMatchObject({ ip: '203.0.113.9', key: { id: account.keyId } });
  });

  it.each([
    ['?days=0', '/days'],
    ['?days=91', '/days'],
    ['?days=x', '/days'],
    ['?limit=5', '/limit'],
  ])('400: %s', async (query, pointer) => {
    const { status, body } = await usageOf(await aServiceAccount(server, organization), query);
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });

  it('403 without keys:read', async () => {
    const verifier = await aServiceAccount(server, organization, { role: 'verifier' });
    const { status, body } = await verifier.client.get(`${verifier.path}/usage`);
    expect([status, body.required]).toEqual([403, 'keys:read']);
  });

  it("404: another organization's account and a deleted one look like one that never was", async () => {
    const foreign = await aServiceAccount(server, await anOrganization(server));
    const deleted = await aServiceAccount(server, organization);
    expect((await owner.client.delete(deleted.path)).status).toBe(204);
    const seen = async (id: string) => {
      const answer = await usageOf({ path: `${organization.path}/service-accounts/${id}` });
      expect(answer.status).toBe(404);
      return asSeen(answer).replaceAll(id, '(id)');
    };
    const unknown = await seen(newId('sa'));
    expect(await seen(foreign.id)).toBe(unknown);
    expect(await seen(deleted.id)).toBe(unknown);
    const stranger = await aPerson(server, await anOrganization(server));
    expect((await stranger.client.get(`${foreign.path}/usage`)).status).toBe(404);
  });
});
