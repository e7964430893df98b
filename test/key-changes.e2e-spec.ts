import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import {
  type Answer,
  eventsOf,
  startServer,
  type TestServer,
  changesOf,
  errorsOf,
} from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { asSeen } from './same-answer.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let admin: TestPerson;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
});
afterAll(() => server.close());

const PAST = new Date('2020-01-01T00:00:00Z');
const FUTURE = '2999-01-01T00:00:00.000Z';

/** An organization with other settings, its owner, and one of its accounts. */
async function anotherOrganization(settings: {
  maxKeysPerServiceAccount?: number;
  maxKeyLifetimeSeconds?: number;
}) {
  const other = await anOrganization(server);
  await server.database.system((tx) =>
    tx.organization.update({ where: { id: other.id }, data: settings }),
  );
  const boss = await aPerson(server, other);
  return { other, boss, account: await aServiceAccount(server, other) };
}

/** A custom role with one account that has it. */
async function anAccountWith(permissions: string[]): Promise<TestServiceAccount> {
  const key = `r-${newId('sa').slice(-12)}`;
  const role = { key, name: key, permissions };
  expect((await owner.client.post(`${organization.path}/roles`, role)).status).toBe(201);
  return aServiceAccount(server, organization, { role: key });
}

const codeOf = ({ status, body }: Answer) => [status, body?.code];

describe('…/keys/{keyId}', () => {
  it.each(['GET', 'PATCH', 'DELETE'])(
    "404: %s of another account's key, and of another organization's, looks like that of none",
    async (method) => {
      const account = await aServiceAccount(server, organization);
      const neighbour = await aServiceAccount(server, organization);
      const other = await anOrganization(server);
      const theirs = await aServiceAccount(server, other);
      const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
      const ask = (path: string) => owner.client.request(method, path, body);
      const none = asSeen(await ask(`${account.path}/keys/${newId('key')}`));
      expect(none).toMatch(/^\[404,/);
      for (const id of [neighbour.keyId, theirs.keyId, 'nonsense']) {
        expect(asSeen(await ask(`${account.path}/keys/${id}`))).toBe(none);
      }
      for (const { client } of [neighbour, theirs]) {
        expect((await client.get('/v1/me')).status).toBe(200);
      }
      const trail = await eventsOf(server, { chain: other.id });
      expect(trail.filter(({ event }) => event.actor.id === owner.id)).toEqual([]);
    },
  );
});

describe('PATCH …/keys/{keyId}', () => {
  it('200: holds for the next request, and records the difference', async () => {
    const account = await aServiceAccount(server, organization);
    const path = `${account.path}/keys/${account.keyId}`;
    expect((await account.client.get(account.path)).status).toBe(200);
    const narrowed = await owner.client.patch(path, { permissions: ['keys:read'] });
    expect([narrowed.status, narrowed.body.permissions]).toEqual([200, ['keys:read']]);
    expect((await account.client.get(account.path)).status).toBe(403);
    const moved = await owner.client.patch(path, { allowedCidrs: ['203.0.113.0/24'] });
    expect(moved.body.permissions).toEqual(['keys:read']);
    expect(codeOf(await account.client.get('/v1/me'))).toEqual([403, 'ip_not_allowed']);
    const freed = await owner.client.patch(path, { allowedCidrs: [], permissions: null });
    expect((await account.client.get(account.path)).status).toBe(200);
    expect((await changesOf(server, freed))[0]).toMatchObject({
      action: 'key.updated',
      targets: [
        { type: 'key', id: account.keyId },
        { type: 'serviceAccount', id: account.id },
      ],
      changes: {
        permissions: { before: ['keys:read'], after: null },
        allowedCidrs: { before: ['203.0.113.0/24'], after: [] },
      },
    });
  });

  it('200: a new name is on the trail from the next request on', async () => {
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    await owner.client.patch(`${account.path}/keys/${account.keyId}`, { name: 'Renamed' });
    const answer = await account.client.get('/v1/me');
    expect(answer.body.key.name).toBe('Renamed');
    const [event] = await eventsOf(server, { requestId: answer.headers.get('x-request-id')! });
    expect(event!.event.key).toEqual({ id: account.keyId, name: 'Renamed' });
  });

  it('200: what changes nothing is no event', async () => {
    const account = await aServiceAccount(server, organization);
    const key = await aKey(server, organization, account, {
      permissions: ['users:read', 'keys:read'],
      allowedCidrs: ['10.0.0.0/8'],
      expiresAt: PAST,
    });
    const before = (await owner.client.get(key.path)).body;
    const answer = await owner.client.patch(key.path, {
      permissions: ['keys:read', 'users:read'],
      allowedCidrs: ['10.0.0.0/8'],
      expiresAt: '2020-01-01T01:00:00+01:00',
    });
    expect([answer.status, answer.body]).toEqual([200, before]);
    expect(await changesOf(server, answer)).toEqual([]);
  });

  it('200: an expired key comes back to life, where there is room for it', async () => {
    const { other, boss, account } = await anotherOrganization({ maxKeysPerServiceAccount: 2 });
    const expired = await aKey(server, other, account, { expiresAt: PAST });
    const revived = await boss.client.patch(expired.path, { expiresAt: null });
    expect([revived.status, revived.body.status]).toEqual([200, 'active']);
    expect((await expired.client.get('/v1/me')).status).toBe(200);
    const third = await aKey(server, other, account, { expiresAt: PAST });
    const answer = await boss.client.patch(third.path, { expiresAt: FUTURE });
    expect(codeOf(answer)).toEqual([409, 'key_limit']);
    expect((await boss.client.patch(third.path, { name: 'Only a name' })).status).toBe(200);
  });

  it.each([
    [{ expiresAt: PAST.toISOString() }, '/expiresAt', 'in_the_past'],
    [{ permissions: ['keys:manage'] }, '/permissions/0', 'not_in_role'],
    [{ allowedCidrs: null }, '/allowedCidrs', 'wrong_type'],
    [{ name: null }, '/name', 'wrong_type'],
    [{ status: 'active' }, '/status', 'unknown_property'],
    [{ revokedAt: null }, '/revokedAt', 'unknown_property'],
  ])('400: %j', async (change, pointer, code) => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.patch(`${account.path}/keys/${account.keyId}`, change);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
  });

  it('400: the longest life is counted from when the key was made', async () => {
    const { boss, account } = await anotherOrganization({ maxKeyLifetimeSeconds: 7200 });
    const { body } = await boss.client.post(`${account.path}/keys`, { name: 'Short' });
    const path = `${account.path}/keys/${body.id}`;
    const beyond = new Date(Date.parse(body.createdAt) + 7_200_001).toISOString();
    const answer = await boss.client.patch(path, { expiresAt: beyond });
    expect(errorsOf(answer)).toEqual([400, [['/expiresAt', 'too_far']]]);
    const within = new Date(Date.parse(body.createdAt) + 7_100_000).toISOString();
    expect((await boss.client.patch(path, { expiresAt: within })).body.expiresAt).toBe(within);
  });

  it.each([
    { permissions: null },
    { permissions: ['users:read', 'organization:delete'] },
    { allowedCidrs: [] },
    { allowedCidrs: ['203.0.112.0/23'] },
    { expiresAt: null },
    { expiresAt: '2999-06-01T00:00:00Z' },
  ])('403: nobody widens a key above themselves: %j', async (change) => {
    const account = await anAccountWith(['users:read', 'organization:delete']);
    const key = await aKey(server, organization, account, {
      permissions: change.permissions === undefined ? ['organization:delete'] : ['users:read'],
      allowedCidrs: ['203.0.113.0/24'],
      expiresAt: new Date(FUTURE),
    });
    const refusal = await admin.client.patch(key.path, change);
    expect(codeOf(refusal)).toEqual([403, 'grant_exceeds_permissions']);
    expect(await changesOf(server, refusal)).toEqual([]);
    expect((await owner.client.patch(key.path, change)).status).toBe(200);
  });

  it('200: anybody who manages keys narrows one above themselves', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    const answer = await admin.client.patch(`${account.path}/keys/${account.keyId}`, {
      permissions: ['organization:delete'],
      allowedCidrs: ['203.0.113.0/24'],
      expiresAt: FUTURE,
    });
    expect(answer.status).toBe(200);
  });

  it('409: a revoked key does not change', async () => {
    const account = await aServiceAccount(server, organization);
    const key = await aKey(server, organization, account, { revokedAt: PAST });
    const answer = await owner.client.patch(key.path, { name: 'Back' });
    expect(codeOf(answer)).toEqual([409, 'key_revoked']);
  });
});

describe('DELETE …/keys/{keyId}', () => {
  it('204: the very next request is refused; twice is one event', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    const path = `${account.path}/keys/${account.keyId}`;
    const first = await owner.client.delete(path);
    expect([first.status, first.body]).toEqual([204, undefined]);
    const refused = await account.client.get('/v1/me');
    expect(codeOf(refused)).toEqual([401, 'invalid_token']);
    const [event] = await eventsOf(server, { requestId: refused.headers.get('x-request-id')! });
    expect(event!.event).toMatchObject({ reason: 'revoked', actor: { name: account.name } });
    const second = await owner.client.delete(path);
    expect(second.status).toBe(204);
    expect(await changesOf(server, second)).toEqual([]);
    expect(await changesOf(server, first)).toMatchObject([
      {
        action: 'key.revoked',
        targets: [
          { type: 'key', id: account.keyId, name: 'Default' },
          { type: 'serviceAccount', id: account.id, name: account.name },
        ],
      },
    ]);
    expect((await owner.client.get(path)).body).toMatchObject({
      status: 'revoked',
      revokedAt: expect.stringMatching(/Z$/),
    });
  });

  it('204: at once from everywhere is one event', async () => {
    const account = await aServiceAccount(server, organization);
    const path = `${account.path}/keys/${account.keyId}`;
    const answers = await Promise.all([1, 2, 3, 4].map(() => owner.client.delete(path)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    const events = await Promise.all(answers.map((answer) => changesOf(server, answer)));
    expect(events.flat()).toHaveLength(1);
  });

  it('204: a key that revokes itself still gets its answer', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const answer = await account.client.delete(`${account.path}/keys/${account.keyId}`);
    expect(answer.status).toBe(204);
    expect((await account.client.get('/v1/me')).status).toBe(401);
  });

  it('204: the other keys of the account go on working', async () => {
    const account = await aServiceAccount(server, organization);
    const second = await aKey(server, organization, account);
    await owner.client.delete(`${account.path}/keys/${account.keyId}`);
    expect((await second.client.get('/v1/me')).status).toBe(200);
  });
});
