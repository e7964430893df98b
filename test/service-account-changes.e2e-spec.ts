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

const codeOf = ({ status, body }: Answer) => [status, body?.code];

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
    const [event, ...more] = await changesOf(server, answer);
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
      expect(await changesOf(server, answer)).toEqual([]);
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
    expect(await changesOf(server, again)).toEqual([]);
    const enabled = await owner.client.post(`${account.path}/enable`);
    expect([enabled.status, enabled.body.status]).toEqual([200, 'active']);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    expect([await changesOf(server, disabled), await changesOf(server, enabled)]).toMatchObject([
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
    const events = await changesOf(server, answer);
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
