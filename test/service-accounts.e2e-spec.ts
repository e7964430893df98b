import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import type { FieldError } from '../src/http/problem.js';
import type { ServiceAccount } from '../src/service-accounts/service-accounts.dto.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
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
let admin: TestPerson;
let accounts: string;
let counter = 0;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
  accounts = `${organization.path}/service-accounts`;
});
afterAll(() => server.close());

const aName = () => `Account ${(counter += 1)}`;

/** The events that a request has put on the trail besides its own `http.request`. */
async function changesOf(answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  const events = await eventsOf(server, { requestId });
  return events.map(({ event }) => event).filter(({ action }) => action !== 'http.request');
}

const codeOf = ({ status, body }: Answer) => [status, body?.code];
const errorsOf = ({ status, body }: Answer) => [
  status,
  body.errors?.map((error: FieldError) => [error.pointer, error.code]),
];

describe('POST …/service-accounts', () => {
  it('201: makes an account and a key that works at once', async () => {
    const name = aName();
    const answer = await owner.client.post(accounts, { name, role: 'viewer' });
    expect(answer.status).toBe(201);
    const { serviceAccount, key } = answer.body;
    expect(answer.headers.get('location')).toBe(`${accounts}/${serviceAccount.id}`);
    expect(serviceAccount).toEqual({
      id: expect.stringMatching(/^sa_/),
      organizationId: organization.id,
      name,
      description: '',
      role: { key: 'viewer', name: 'Viewer' },
      status: 'active',
      owner: null,
      backupOwner: null,
      purpose: '',
      systems: [],
      documentationUrl: null,
      labels: {},
      requestsPerMinute: null,
      keyCount: 1,
      lastUsedAt: null,
      createdAt: expect.stringMatching(/^20.*Z$/),
      createdBy: { type: 'user', id: owner.id, name: owner.name },
      updatedAt: serviceAccount.createdAt,
    });
    expect(key).toMatchObject({ name: 'Default', status: 'active', permissions: null });
    const me = await server.client.withToken(key.token).get('/v1/me');
    expect(me.body).toMatchObject({ kind: 'serviceAccount', id: serviceAccount.id, name });
  });

  it('201: keeps all that is said about it, and limits its first key', async () => {
    const backup = await aPerson(server, organization);
    const described = {
      description: 'Two\nlines.',
      purpose: 'Synchronization',
      systems: ['Salesforce', 'Lager & Söhne'],
      documentationUrl: 'https://wiki.example.com/a?b=c',
      labels: { team: 'sales', 'env/tier': '' },
    };
    const { status, body } = await owner.client.post(accounts, {
      name: aName(),
      role: 'provisioner',
      ...described,
      ownerId: owner.id,
      backupOwnerId: backup.id,
      key: {
        name: 'Production',
        expiresAt: '2999-01-01T00:00:00+01:00',
        permissions: ['users:read'],
        allowedCidrs: ['203.0.113.7'],
      },
    });
    expect(status).toBe(201);
    expect(body.serviceAccount).toMatchObject({
      ...described,
      owner: { id: owner.id, name: owner.name, email: owner.email },
      backupOwner: { id: backup.id, name: backup.name, email: backup.email },
    });
    expect(body.key).toMatchObject({
      name: 'Production',
      expiresAt: '2998-12-31T23:00:00.000Z',
      permissions: ['users:read'],
      allowedCidrs: ['203.0.113.7/32'],
    });
    expect((await server.client.withToken(body.key.token).get('/v1/me')).body.code).toBe(
      'ip_not_allowed',
    );
  });

  it('201: records the account and the key, and the token nowhere', async () => {
    const name = aName();
    const answer = await owner.client.post(accounts, { name, role: 'viewer', labels: { a: 'b' } });
    const { serviceAccount, key } = answer.body;
    const account = { type: 'serviceAccount', id: serviceAccount.id, name };
    expect(await changesOf(answer)).toMatchObject([
      {
        action: 'service_account.created',
        targets: [account],
        changes: {
          name: { before: null, after: name },
          role: { before: null, after: 'viewer' },
          labels: { before: {}, after: { a: 'b' } },
        },
      },
      { action: 'key.created', targets: [{ type: 'key', id: key.id, name: 'Default' }, account] },
    ]);
    const trail = await eventsOf(server, { chain: organization.id });
    expect(trail.filter(({ body }) => body.includes(key.token.slice(-20)))).toEqual([]);
    const list = await owner.client.get(`${accounts}/${serviceAccount.id}/keys`);
    expect(JSON.stringify(list.body)).not.toContain(key.token.slice(-20));
  });

  it('201: an account may make accounts, within what it may do itself', async () => {
    const maker = await aServiceAccount(server, organization, { role: 'admin' });
    const made = await maker.client.post(accounts, { name: aName(), role: 'viewer' });
    expect(made.body.serviceAccount.createdBy).toEqual({
      type: 'serviceAccount',
      id: maker.id,
      name: maker.name,
    });
    const above = await maker.client.post(accounts, { name: aName(), role: 'owner' });
    expect(codeOf(above)).toEqual([403, 'grant_exceeds_permissions']);
  });

  it.each([
    ['no name', { name: undefined }, '/name', 'required'],
    ['an empty name', { name: '' }, '/name', 'too_short'],
    ['a name of two lines', { name: 'a\nb' }, '/name', 'invalid_format'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, '/name', 'too_long'],
    ['a role that does not exist', { role: 'emperor' }, '/role', 'unknown_role'],
    ['a role as an object', { role: { key: 'viewer' } }, '/role', 'wrong_type'],
    ['null for a purpose', { purpose: null }, '/purpose', 'wrong_type'],
    ['an owner who does not exist', { ownerId: newId('usr') }, '/ownerId', 'unknown_user'],
    ['a backup owner that is no id', { backupOwnerId: 'me' }, '/backupOwnerId', 'unknown_user'],
    ['one system', { systems: 'CRM' }, '/systems', 'wrong_type'],
    ['a system without a name', { systems: ['CRM', ' '] }, '/systems/1', 'invalid_format'],
    [
      'a script',
      { documentationUrl: 'javascript:alert(1)' },
      '/documentationUrl',
      'invalid_format',
    ],
    ['a label that is a number', { labels: { tier: 1 } }, '/labels/tier', 'wrong_type'],
    ['a label with a space', { labels: { 'a b': 'c' } }, '/labels/a b', 'invalid_format'],
    ['a list for a key', { key: [] }, '/key', 'wrong_type'],
    [
      'a key that has expired',
      { key: { expiresAt: '2020-01-01T00:00:00Z' } },
      '/key/expiresAt',
      'in_the_past',
    ],
    [
      'a key beyond its role',
      { key: { permissions: ['users:manage'] } },
      '/key/permissions/0',
      'not_in_role',
    ],
    [
      'a network with host bits',
      { key: { allowedCidrs: ['10.0.0.1/8'] } },
      '/key/allowedCidrs/0',
      'invalid_format',
    ],
    ['an id of its own', { id: 'sa_x' }, '/id', 'unknown_property'],
    ['an organization', { organizationId: 'org_x' }, '/organizationId', 'unknown_property'],
    ['a creator', { createdAt: '2020-01-01T00:00:00Z' }, '/createdAt', 'unknown_property'],
    ["a key's hash", { key: { tokenHash: 'x' } }, '/key/tokenHash', 'unknown_property'],
  ])('400: %s', async (_, change, pointer, code) => {
    const name = aName();
    const answer = await owner.client.post(accounts, { name, role: 'viewer', ...change });
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
    const { body } = await owner.client.get(`${accounts}?search=${encodeURIComponent(name)}`);
    expect(body.data).toEqual([]);
  });

  it('400: only active users of the organization own accounts', async () => {
    const stranger = await aPerson(server, await anOrganization(server));
    const gone = await aPerson(server, organization, { status: 'disabled' });
    const input = { name: aName(), role: 'viewer', ownerId: stranger.id, backupOwnerId: gone.id };
    expect(errorsOf(await owner.client.post(accounts, input))).toEqual([
      400,
      [
        ['/ownerId', 'unknown_user'],
        ['/backupOwnerId', 'unknown_user'],
      ],
    ]);
  });

  it('403: nobody makes an account above themselves, whatever its key may do', async () => {
    const input = { name: aName(), role: 'owner', key: { permissions: ['users:read'] } };
    const answer = await admin.client.post(accounts, input);
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    expect(answer.body.required).toBe('organization:delete');
    expect(await changesOf(answer)).toEqual([]);
  });

  it('403 without service-accounts:manage', async () => {
    const viewer = await aServiceAccount(server, organization);
    const { status, body } = await viewer.client.post(accounts, { name: aName(), role: 'viewer' });
    expect([status, body.required]).toEqual([403, 'service-accounts:manage']);
  });

  it('409: the name is taken, in any case', async () => {
    const name = aName();
    await owner.client.post(accounts, { name, role: 'viewer' });
    const again = { name: name.toUpperCase(), role: 'viewer' };
    expect(codeOf(await owner.client.post(accounts, again))).toEqual([409, 'name_taken']);
  });

  it('409: of two at once with one name exactly one is made', async () => {
    const input = { name: aName(), role: 'viewer' };
    const answers = await Promise.all([1, 2].map(() => owner.client.post(accounts, input)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('the same name in another organization is free', async () => {
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const input = { name: aName(), role: 'viewer' };
    expect((await owner.client.post(accounts, input)).status).toBe(201);
    const theirs = await stranger.client.post(`${other.path}/service-accounts`, input);
    expect(theirs.status).toBe(201);
  });
});

describe('GET …/service-accounts', () => {
  let ours: TestOrganization;
  let reader: TestPerson;
  let path: string;

  beforeAll(async () => {
    ours = await anOrganization(server);
    reader = await aPerson(server, ours, { role: 'viewer' });
    path = `${ours.path}/service-accounts`;
    await aServiceAccount(server, ours, { name: 'beta' });
    await aServiceAccount(server, ours, { name: 'Alpha', role: 'auditor', ownerId: reader.id });
    await aServiceAccount(server, ours, { name: 'gamma_1', status: 'disabled' });
    await aServiceAccount(server, ours, { name: 'Gamma 2' });
    await server.database.system(
      (tx) => tx.$executeRaw`UPDATE service_accounts SET last_used_at = now() WHERE name = 'beta'`,
    );
  });

  const names = async (query: string, limit = 200) => {
    const found: string[] = [];
    for (let after = ''; ;) {
      const { status, body } = await reader.client.get(`${path}?limit=${limit}${query}${after}`);
      expect(status).toBe(200);
      found.push(...body.data.map((account: ServiceAccount) => account.name));
      if (body.paging.next === undefined) return found;
      after = `&after=${body.paging.next.after}`;
    }
  };

  it.each([
    ['', ['Alpha', 'beta', 'Gamma 2', 'gamma_1']],
    ['&sort=-name', ['gamma_1', 'Gamma 2', 'beta', 'Alpha']],
    ['&sort=createdAt', ['beta', 'Alpha', 'gamma_1', 'Gamma 2']],
    ['&search=AMMA', ['Gamma 2', 'gamma_1']],
    ['&search=a_1', ['gamma_1']],
    ['&status=disabled', ['gamma_1']],
    ['&role=auditor', ['Alpha']],
    ['&role=nobody', []],
    ['&status=active&search=gamma', ['Gamma 2']],
  ])('200: finds with %j', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
    expect(await names(query, 1)).toEqual(expected);
  });

  it("200: finds an owner's accounts", async () => {
    expect(await names(`&ownerId=${reader.id}`)).toEqual(['Alpha']);
  });

  it('200: the used come before the unused, or after them', async () => {
    expect((await names('&sort=-lastUsedAt', 1))[0]).toBe('beta');
    expect((await names('&sort=lastUsedAt', 1)).at(-1)).toBe('beta');
  });

  it.each([
    ['limit=0', '/limit', 'too_small'],
    ['limit=99999999999999999999', '/limit', 'too_large'],
    ['status=deleted', '/status', 'not_allowed'],
    ['sort=role', '/sort', 'not_allowed'],
    ['after=nonsense', '/after', 'invalid_cursor'],
    ['owner=me', '/owner', 'unknown_property'],
  ])('400: %s', async (query, pointer, code) => {
    const answer = await reader.client.get(`${path}?${query}`);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
  });

  it('403 without service-accounts:read', async () => {
    const verifier = await aServiceAccount(server, organization, { role: 'verifier' });
    expect((await verifier.client.get(accounts)).body.required).toBe('service-accounts:read');
  });
});

describe('GET …/service-accounts/{serviceAccountId}', () => {
  it('200: counts the keys that are usable', async () => {
    const account = await aServiceAccount(server, organization);
    await aKey(server, organization, account, { revokedAt: new Date() });
    await aKey(server, organization, account, { expiresAt: new Date('2020-01-01T00:00:00Z') });
    await aKey(server, organization, account, { expiresAt: new Date('2999-01-01T00:00:00Z') });
    expect((await owner.client.get(account.path)).body.keyCount).toBe(2);
  });

  it('200: shows an owner who was disabled, and none who was removed', async () => {
    const person = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization, { ownerId: person.id });
    await server.database.system((tx) =>
      tx.membership.updateMany({ where: { userId: person.id }, data: { status: 'disabled' } }),
    );
    expect((await owner.client.get(account.path)).body.owner.id).toBe(person.id);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    await server.database.system((tx) =>
      tx.membership.deleteMany({ where: { userId: person.id } }),
    );
    expect((await owner.client.get(account.path)).body.owner).toBeNull();
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it.each(['GET', 'PATCH', 'DELETE', 'POST disable', 'POST enable'])(
    "404: %s of another organization's account looks like that of none",
    async (operation) => {
      const other = await anOrganization(server);
      const theirs = await aServiceAccount(server, other);
      const [method, suffix] = operation.split(' ');
      const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
      const ask = (path: string) =>
        owner.client.request(method!, suffix ? `${path}/${suffix}` : path, body);
      const unknown = newId('sa');
      const [hidden, none] = [
        await ask(`${accounts}/${theirs.id}`),
        await ask(`${accounts}/${unknown}`),
      ];
      expect(hidden.status).toBe(404);
      expect(asSeen(hidden)).toBe(asSeen(none));
      const elsewhere = newId('org');
      const through = await ask(theirs.path);
      const nowhere = await ask(`/v1/organizations/${elsewhere}/service-accounts/${theirs.id}`);
      expect(asSeen(through)).toBe(asSeen(nowhere));
      expect(await eventsOf(server, { chain: other.id })).toEqual([]);
      expect((await theirs.client.get('/v1/me')).body.name).toBe(theirs.name);
    },
  );
});

describe('PATCH …/service-accounts/{serviceAccountId}', () => {
  it('200: changes what is given, keeps the rest, and records the difference', async () => {
    const account = await aServiceAccount(server, organization, { ownerId: owner.id });
    const shown = { description: 'New', systems: ['ERP'], labels: { a: 'b' } };
    const change = { ...shown, ownerId: null };
    const before = (await owner.client.get(account.path)).body;
    const answer = await owner.client.patch(account.path, change);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...before,
      ...shown,
      owner: null,
      updatedAt: expect.any(String),
    });
    expect(answer.body.updatedAt > before.updatedAt).toBe(true);
    const [event, ...more] = await changesOf(answer);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      action: 'service_account.updated',
      targets: [{ type: 'serviceAccount', id: account.id, name: account.name }],
    });
    expect(event.changes).toEqual({
      description: { before: '', after: 'New' },
      ownerId: { before: owner.id, after: null },
      systems: { before: [], after: ['ERP'] },
      labels: { before: {}, after: { a: 'b' } },
    });
  });

  it('200: a new name is on the trail from the next request on', async () => {
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    const name = aName();
    await owner.client.patch(account.path, { name });
    const answer = await account.client.get('/v1/me');
    expect(answer.body.name).toBe(name);
    const [event] = await eventsOf(server, { requestId: answer.headers.get('x-request-id')! });
    expect(event!.event.actor).toEqual({ type: 'serviceAccount', id: account.id, name });
  });

  it('200: a new role holds for the next request', async () => {
    const account = await aServiceAccount(server, organization, { role: 'verifier' });
    expect((await account.client.get(accounts)).status).toBe(403);
    expect((await admin.client.patch(account.path, { role: 'viewer' })).status).toBe(200);
    expect((await account.client.get(accounts)).status).toBe(200);
    await admin.client.patch(account.path, { role: 'verifier' });
    expect((await account.client.get(accounts)).status).toBe(403);
  });

  it('200: what changes nothing is no event', async () => {
    const account = await aServiceAccount(server, organization);
    const before = (await owner.client.get(account.path)).body;
    for (const change of [{}, { name: account.name, role: 'viewer', systems: [], labels: {} }]) {
      const answer = await owner.client.patch(account.path, change);
      expect([answer.status, answer.body]).toEqual([200, before]);
      expect(await changesOf(answer)).toEqual([]);
    }
  });

  it('200: an owner who has been disabled since may stay', async () => {
    const person = await aPerson(server, organization, { status: 'disabled' });
    const account = await aServiceAccount(server, organization, { ownerId: person.id });
    const change = { ownerId: person.id, purpose: 'Same owner' };
    expect((await owner.client.patch(account.path, change)).status).toBe(200);
  });

  it.each([
    [{ name: null }, '/name', 'wrong_type'],
    [{ role: 'emperor' }, '/role', 'unknown_role'],
    [{ ownerId: newId('usr') }, '/ownerId', 'unknown_user'],
    [{ status: 'disabled' }, '/status', 'unknown_property'],
    [{ key: {} }, '/key', 'unknown_property'],
  ])('400: %j', async (change, pointer, code) => {
    const account = await aServiceAccount(server, organization);
    const answer = await owner.client.patch(account.path, change);
    expect(errorsOf(answer)).toEqual([400, [[pointer, code]]]);
  });

  it('403: the old and the new role must be within what the actor may do', async () => {
    const above = await aServiceAccount(server, organization, { role: 'owner' });
    const below = await aServiceAccount(server, organization, { role: 'viewer' });
    for (const [account, role] of [
      [above, 'viewer'],
      [below, 'owner'],
    ] as const) {
      const answer = await admin.client.patch(account.path, { role });
      expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    }
    expect((await admin.client.patch(above.path, { purpose: 'Only words' })).status).toBe(200);
  });

  it('403 own_role: a service account does not change its own role', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    const answer = await account.client.patch(account.path, { role: 'viewer' });
    expect(codeOf(answer)).toEqual([403, 'own_role']);
    expect((await account.client.patch(account.path, { purpose: 'Mine' })).status).toBe(200);
  });

  it('409: the name is taken', async () => {
    const [one, two] = [
      await aServiceAccount(server, organization),
      await aServiceAccount(server, organization),
    ];
    const answer = await owner.client.patch(two.path, { name: one.name.toUpperCase() });
    expect(codeOf(answer)).toEqual([409, 'name_taken']);
    const own = await owner.client.patch(two.path, { name: two.name.toUpperCase() });
    expect(own.status).toBe(200);
  });
});

describe('POST …/disable and …/enable', () => {
  it('200: hold for the next request, are recorded, and only once', async () => {
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    const disabled = await owner.client.post(`${account.path}/disable`);
    expect([disabled.status, disabled.body.status]).toEqual([200, 'disabled']);
    expect((await account.client.get('/v1/me')).status).toBe(401);
    const again = await owner.client.post(`${account.path}/disable`);
    expect([again.status, again.body.updatedAt]).toEqual([200, disabled.body.updatedAt]);
    expect(await changesOf(again)).toEqual([]);
    const enabled = await owner.client.post(`${account.path}/enable`);
    expect([enabled.status, enabled.body.status]).toEqual([200, 'active']);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    expect([await changesOf(disabled), await changesOf(enabled)]).toMatchObject([
      [
        {
          action: 'service_account.disabled',
          changes: { status: { before: 'active', after: 'disabled' } },
        },
      ],
      [
        {
          action: 'service_account.enabled',
          changes: { status: { before: 'disabled', after: 'active' } },
        },
      ],
    ]);
  });

  it('200: an account that disables itself still gets its answer', async () => {
    const account = await aServiceAccount(server, organization, { role: 'admin' });
    expect((await account.client.post(`${account.path}/disable`)).status).toBe(200);
    expect((await account.client.get('/v1/me')).status).toBe(401);
  });

  it('403: nobody enables an account above themselves; anybody may disable it', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    expect((await admin.client.post(`${account.path}/disable`)).status).toBe(200);
    const answer = await admin.client.post(`${account.path}/enable`);
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
  });
});

describe('DELETE …/service-accounts/{serviceAccountId}', () => {
  it('204: revokes every key in the same transaction and frees the name', async () => {
    const account = await aServiceAccount(server, organization);
    const key = await aKey(server, organization, account, { name: 'Second' });
    const answer = await owner.client.delete(account.path);
    expect([answer.status, answer.body]).toEqual([204, undefined]);
    for (const { client } of [account, key]) {
      expect((await client.get('/v1/me')).status).toBe(401);
    }
    const keys = await server.database.system((tx) =>
      tx.key.findMany({ where: { serviceAccountId: account.id } }),
    );
    expect(keys.filter(({ revokedAt }) => revokedAt === null)).toEqual([]);
    const events = await changesOf(answer);
    expect(events[0]).toMatchObject({
      action: 'service_account.deleted',
      targets: [{ type: 'serviceAccount', id: account.id, name: account.name }],
    });
    expect(
      events
        .slice(1)
        .map(({ action, targets }) => [action, targets[0].name])
        .sort(),
    ).toEqual([
      ['key.revoked', 'Default'],
      ['key.revoked', 'Second'],
    ]);
    const heir = await owner.client.post(accounts, { name: account.name, role: 'viewer' });
    expect(heir.status).toBe(201);
  });

  it('404: it is gone for every operation, and for a second DELETE', async () => {
    const account = await aServiceAccount(server, organization);
    await owner.client.delete(account.path);
    const { client } = owner;
    const answers = [
      await client.delete(account.path),
      await client.get(account.path),
      await client.patch(account.path, { purpose: 'Back' }),
      await client.post(`${account.path}/enable`),
      await client.get(`${account.path}/keys`),
      await client.post(`${account.path}/keys`, { name: 'Back' }),
      await client.delete(`${account.path}/keys/${account.keyId}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
  });

  it('204 under load: no request begun after it returned is let in', async () => {
    const account = await aServiceAccount(server, organization);
    let isDeleted = false;
    const late: number[] = [];
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      // Each from an address of its own: so many refusals of a single one would be a flood.
      const from = { 'x-forwarded-for': `192.0.2.${caller}` };
      for (let request = 0; request < 12; request += 1) {
        const beganAfter = isDeleted;
        const { status } = await account.client.get('/v1/me', from);
        if (beganAfter) late.push(status);
      }
    });
    expect((await owner.client.delete(account.path)).status).toBe(204);
    isDeleted = true;
    late.push((await account.client.get('/v1/me')).status);
    await Promise.all(callers);
    expect(new Set(late)).toEqual(new Set([401]));
  });
});
