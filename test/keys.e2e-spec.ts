import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { parseToken } from '../src/crypto/token.js';
import type { Key } from '../src/keys/keys.dto.js';
import { type Answer, startServer, type TestServer, changesOf, errorsOf } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';

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
const fromNow = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

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

const codeOf = ({ status, body }: Answer) => [status, body?.code];

describe('POST …/keys', () => {
  it('201: makes a key whose token works, and shows the token this once', async () => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.post(`${account.path}/keys`, { name: 'Production' });
    expect(answer.status).toBe(201);
    const { token, ...key } = answer.body;
    expect(answer.headers.get('location')).toBe(`${account.path}/keys/${key.id}`);
    expect(key).toEqual({
      id: expect.stringMatching(/^key_/),
      serviceAccountId: account.id,
      name: 'Production',
      type: 'token',
      obfuscatedToken: `clv_…${token.slice(-4)}`,
      publicKey: null,
      permissions: null,
      allowedCidrs: [],
      expiresAt: null,
      status: 'active',
      lastUsedAt: null,
      lastUsedIp: null,
      createdAt: expect.stringMatching(/^20.*Z$/),
      createdBy: { type: 'user', id: owner.id, name: owner.name },
      revokedAt: null,
      rotatedFromId: null,
      replacedById: null,
    });
    expect(`key_${parseToken('clv', token)!.suffix}`).toBe(key.id);
    expect((await owner.client.get(`${account.path}/keys/${key.id}`)).body).toEqual(key);
    expect((await server.client.withToken(token).get('/v1/me')).body.key.id).toBe(key.id);
  });

  it('201: records the key and its account, and no token', async () => {
    const account = await aServiceAccount(server, organization);
    const input = { name: 'Limited', permissions: ['keys:read'], expiresAt: FUTURE };
    const answer = await owner.client.post(`${account.path}/keys`, input);
    const events = await changesOf(server, answer);
    expect(events).toMatchObject([
      {
        action: 'key.created',
        actor: { type: 'user', id: owner.id },
        targets: [
          { type: 'key', id: answer.body.id, name: 'Limited' },
          { type: 'serviceAccount', id: account.id, name: account.name },
        ],
        changes: {
          name: { before: null, after: 'Limited' },
          permissions: { before: null, after: ['keys:read'] },
          expiresAt: { before: null, after: FUTURE },
        },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain(answer.body.token.slice(-12));
    const stored = await server.database.system((tx) =>
      tx.key.findFirstOrThrow({ where: { id: answer.body.id } }),
    );
    expect(JSON.stringify({ ...stored, tokenHash: '' })).not.toContain(
      answer.body.token.slice(-12),
    );
    expect(stored.tokenHash).toHaveLength(32);
  });

  it('201: an account with keys:manage makes keys, also for itself', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const answer = await account.client.post(`${account.path}/keys`, { name: 'Next' });
    expect(answer.body.createdBy).toEqual({
      type: 'serviceAccount',
      id: account.id,
      name: account.name,
    });
  });

  it('201: may do what both role and key permit, and nothing else', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const input = { name: 'Narrow', permissions: ['keys:read'] };
    const { body } = await owner.client.post(`${account.path}/keys`, input);
    const client = server.client.withToken(body.token);
    expect((await client.get(`${account.path}/keys`)).status).toBe(200);
    expect((await client.get(account.path)).body.required).toBe('service-accounts:read');
  });

  it("201: without expiresAt it lives as long as the organization's limit", async () => {
    const { boss, account } = await anotherOrganization({ maxKeyLifetimeSeconds: 7200 });
    const { body } = await boss.client.post(`${account.path}/keys`, { name: 'Short' });
    expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(7_200_000);
    const most = await boss.client.post(`${account.path}/keys`, {
      name: 'Shorter',
      expiresAt: fromNow(3600),
    });
    expect(most.status).toBe(201);
  });

  it.each([
    ['no name', { name: undefined }, '/name', 'required'],
    ['an expiry in the past', { expiresAt: PAST.toISOString() }, '/expiresAt', 'in_the_past'],
    [
      'a year before all others',
      { expiresAt: '0001-01-01T00:00:00Z' },
      '/expiresAt',
      'in_the_past',
    ],
    ['the year 275760', { expiresAt: '+275760-09-13T00:00:00Z' }, '/expiresAt', 'invalid_format'],
    [
      'a day that does not exist',
      { expiresAt: '2999-02-30T00:00:00Z' },
      '/expiresAt',
      'invalid_format',
    ],
    [
      'a time without an offset',
      { expiresAt: '2999-01-01T00:00:00' },
      '/expiresAt',
      'invalid_format',
    ],
    ['a negative number', { expiresAt: -1 }, '/expiresAt', 'wrong_type'],
    ['null for networks', { allowedCidrs: null }, '/allowedCidrs', 'wrong_type'],
    ['one network', { allowedCidrs: '10.0.0.0/8' }, '/allowedCidrs', 'wrong_type'],
    [
      'a network with host bits',
      { allowedCidrs: ['10.0.0.0/8', '10.0.0.1/8'] },
      '/allowedCidrs/1',
      'invalid_format',
    ],
    [
      '65 networks',
      { allowedCidrs: Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`) },
      '/allowedCidrs',
      'too_long',
    ],
    [
      'a permission beyond the role',
      { permissions: ['keys:read', 'keys:manage'] },
      '/permissions/1',
      'not_in_role',
    ],
    [
      'a permission that does not exist',
      { permissions: ['keys:eat'] },
      '/permissions/0',
      'unknown_permission',
    ],
    ['a hash', { tokenHash: 'x' }, '/tokenHash', 'unknown_property'],
    ['another account', { serviceAccountId: 'sa_x' }, '/serviceAccountId', 'unknown_property'],
  ])('400: %s', async (_, change, pointer, code) => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.post(`${account.path}/keys`, { name: 'Never', ...change });
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
    expect((await owner.client.get(`${account.path}/keys`)).body.data).toHaveLength(1);
  });

  it('400: a number that no number holds', async () => {
    const account = await aServiceAccount(server, organization);
    const body = '{"name":"Never","expiresAt":1e400}';
    const answer = await owner.client.post(`${account.path}/keys`, body);
    expect(answer.status).toBe(400);
  });

  it.each([null, fromNow(7260)])(
    '400: expiresAt %j is beyond the longest life',
    async (expiresAt) => {
      const { boss, account } = await anotherOrganization({ maxKeyLifetimeSeconds: 7200 });
      const answer = await boss.client.post(`${account.path}/keys`, { name: 'Long', expiresAt });
      expect(errorsOf(answer)).toEqual([400, [['/expiresAt', 'too_far']]]);
    },
  );

  it('403: nobody makes a key that may do what they may not', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    const all = await admin.client.post(`${account.path}/keys`, { name: 'All' });
    expect(codeOf(all)).toEqual([403, 'grant_exceeds_permissions']);
    const input = { name: 'Some', permissions: ['users:read'] };
    expect((await admin.client.post(`${account.path}/keys`, input)).status).toBe(201);
  });

  it('403: a limited key does not make an unlimited one', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const limited = await aKey(server, organization, account, { permissions: ['keys:manage'] });
    const answer = await limited.client.post(`${account.path}/keys`, { name: 'All' });
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
  });

  it('403 without keys:manage', async () => {
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const answer = await account.client.post(`${account.path}/keys`, { name: 'Never' });
    expect([answer.status, answer.body.required]).toEqual([403, 'keys:manage']);
  });

  it('409: 50 at once fill the limit of 10, and not one more', async () => {
    const account = await aServiceAccount(server, organization);
    await owner.client.delete(`${account.path}/keys/${account.keyId}`);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        owner.client.post(`${account.path}/keys`, { name: `Key ${number}` }),
      ),
    );
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect({ made: count(201), refused: count(409) }).toEqual({ made: 10, refused: 40 });
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('key_limit');
    expect((await owner.client.get(account.path)).body.keyCount).toBe(10);
  });

  it('409: revoked and expired keys leave room', async () => {
    const { other, boss, account } = await anotherOrganization({ maxKeysPerServiceAccount: 2 });
    await aKey(server, other, account, { revokedAt: PAST });
    await aKey(server, other, account, { expiresAt: PAST });
    const second = await boss.client.post(`${account.path}/keys`, { name: 'Second' });
    expect(second.status).toBe(201);
    const third = () => boss.client.post(`${account.path}/keys`, { name: 'Third' });
    expect(codeOf(await third())).toEqual([409, 'key_limit']);
    await boss.client.delete(`${account.path}/keys/${second.body.id}`);
    expect((await third()).status).toBe(201);
  });
});

describe('GET …/service-accounts/{serviceAccountId}/keys', () => {
  it('200: tells what state each key is in, and filters by it', async () => {
    const account = await aServiceAccount(server, organization);
    const revoked = await aKey(server, organization, account, { revokedAt: PAST });
    const expired = await aKey(server, organization, account, { expiresAt: PAST });
    const expiring = await aKey(server, organization, account, { expiresAt: new Date(FUTURE) });
    await server.database.system((tx) =>
      tx.key.updateMany({ where: { id: expiring.id }, data: { replacedById: account.keyId } }),
    );
    const states = { active: account.keyId, revoked: revoked.id, expired: expired.id };
    for (const [status, id] of Object.entries({ ...states, expiring: expiring.id })) {
      const { body } = await owner.client.get(`${account.path}/keys?status=${status}`);
      expect(body.data.map((key: Key) => [key.id, key.status])).toEqual([[id, status]]);
    }
    expect((await owner.client.get(`${account.path}/keys`)).body.data).toHaveLength(4);
    expect((await revoked.client.get('/v1/me')).status).toBe(401);
    expect((await expired.client.get('/v1/me')).status).toBe(401);
    expect((await expiring.client.get('/v1/me')).status).toBe(200);
  });

  it('200: when it was last used, and from where', async () => {
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    await server.database.system(
      (tx) => tx.$executeRaw`UPDATE keys SET last_used_at = now(), last_used_ip = '203.0.113.7'
        WHERE id = ${account.keyId}`,
    );
    const { body } = await owner.client.get(`${account.path}/keys`);
    expect(body.data[0]).toMatchObject({
      lastUsedAt: expect.stringMatching(/Z$/),
      lastUsedIp: '203.0.113.7',
    });
  });

  it('400: a cursor of another account', async () => {
    const [one, two] = [
      await aServiceAccount(server, organization),
      await aServiceAccount(server, organization),
    ];
    await aKey(server, organization, one);
    const { body } = await owner.client.get(`${one.path}/keys?limit=1`);
    const query = `limit=1&after=${body.paging.next.after}`;
    expect((await owner.client.get(`${one.path}/keys?${query}`)).status).toBe(200);
    const answer = await owner.client.get(`${two.path}/keys?${query}`);
    expect(errorsOf(answer)).toEqual([400, [['/after', 'invalid_cursor']]]);
  });

  it('403 without keys:read', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    expect((await account.client.get(`${account.path}/keys`)).body.required).toBe('keys:read');
  });
});

describe('GET …/keys', () => {
  let ours: TestOrganization;
  let reader: TestPerson;
  let accounts: TestServiceAccount[];

  beforeAll(async () => {
    ours = await anOrganization(server);
    reader = await aPerson(server, ours, { role: 'viewer' });
    accounts = [await aServiceAccount(server, ours), await aServiceAccount(server, ours)];
    await aKey(server, ours, accounts[0]!, { name: 'soon', expiresAt: new Date(fromNow(3600)) });
    await aKey(server, ours, accounts[1]!, { name: 'later', expiresAt: new Date(FUTURE) });
    await aKey(server, ours, accounts[1]!, { name: 'gone', revokedAt: PAST });
    const deleted = await aServiceAccount(server, ours);
    const boss = await aPerson(server, ours);
    expect((await boss.client.delete(deleted.path)).status).toBe(204);
  });

  const names = async (query: string, limit = 200) => {
    const found: string[] = [];
    for (let after = ''; ;) {
      const path = `${ours.path}/keys?limit=${limit}${query}${after}`;
      const { status, body } = await reader.client.get(path);
      expect(status).toBe(200);
      found.push(...body.data.map((key: Key) => key.name));
      if (body.paging.next === undefined) return found;
      after = `&after=${body.paging.next.after}`;
    }
  };

  it.each([
    ['', ['gone', 'later', 'soon', 'Default', 'Default']],
    ['&sort=createdAt', ['Default', 'Default', 'soon', 'later', 'gone']],
    ['&sort=expiresAt&status=active', ['soon', 'later', 'Default', 'Default']],
    ['&sort=-expiresAt&status=active', ['Default', 'Default', 'later', 'soon']],
    ['&status=revoked', ['gone']],
    ['&search=LATE', ['later']],
    ['&sort=lastUsedAt&search=o', ['soon', 'gone']],
    [`&expiresBefore=${fromNow(7200)}`, ['soon']],
  ])('200: finds with %j', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
    expect(await names(query, 1)).toEqual(expected);
  });

  it('200: finds the keys of one account', async () => {
    expect(await names(`&serviceAccountId=${accounts[0]!.id}&sort=createdAt`)).toEqual([
      'Default',
      'soon',
    ]);
    expect(await names(`&serviceAccountId=${newId('sa')}`)).toEqual([]);
  });

  it.each([
    ['status=lost', '/status', 'not_allowed'],
    ['sort=name', '/sort', 'not_allowed'],
    ['expiresBefore=tomorrow', '/expiresBefore', 'invalid_format'],
    ['after=AAAA', '/after', 'invalid_cursor'],
  ])('400: %s', async (query, pointer, code) => {
    const answer = await reader.client.get(`${ours.path}/keys?${query}`);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
  });
});
