import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import type { ServiceAccount } from '../src/service-accounts/service-accounts.dto.js';
import {
  type Answer,
  eventsOf,
  startServer,
  type TestServer,
  changesOf,
  errorsOf,
} from './harness.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';

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

const codeOf = ({ status, body }: Answer) => [status, body?.code];

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
    expect(await changesOf(server, answer)).toMatchObject([
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
    expect(await changesOf(server, answer)).toEqual([]);
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
