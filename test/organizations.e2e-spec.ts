import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;
let administrator: TestPerson;

beforeAll(async () => {
  server = await startServer();
  administrator = await aPerson(server, null, { instanceAdministrator: true });
});
afterAll(() => server.close());

const withoutRequestId = ({ requestId: _, instance: __, ...body }: Record<string, unknown>) => body;

describe('POST /v1/organizations', () => {
  it('201: makes an organization that the caller owns, with roles and a trail of its own', async () => {
    const created = await administrator.client.post('/v1/organizations', { name: 'Acme' });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      id: expect.stringMatching(/^org_/),
      name: 'Acme',
      status: 'active',
      settings: {
        maxKeysPerServiceAccount: 10,
        maxKeyLifetimeSeconds: null,
        requestsPerMinute: 500,
      },
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    });
    const path = `/v1/organizations/${created.body.id}`;
    expect(created.headers.get('location')).toBe(path);
    expect((await administrator.client.get(path)).body).toEqual(created.body);
    const me = await administrator.client.get('/v1/me');
    expect(me.body.organizations).toContainEqual(
      expect.objectContaining({ id: created.body.id, role: { key: 'owner', name: 'Owner' } }),
    );
    const [first] = await eventsOf(server, { chain: created.body.id });
    expect(first?.sequence).toBe(1n);
    expect(first?.event).toMatchObject({
      action: 'organization.created',
      actor: { type: 'user', id: administrator.id },
      targets: [{ type: 'organization', id: created.body.id, name: 'Acme' }],
      requestId: created.headers.get('x-request-id'),
    });
    const roles = await server.database.system((tx) =>
      tx.role.count({ where: { organizationId: created.body.id, builtIn: true } }),
    );
    expect(roles).toBe(6);
  });

  it('201: takes settings, at both ends of their ranges', async () => {
    const settings = {
      maxKeysPerServiceAccount: 100,
      maxKeyLifetimeSeconds: 3_600,
      requestsPerMinute: 1_000_000,
    };
    const created = await administrator.client.post('/v1/organizations', { name: 'Set', settings });
    expect(created.body.settings).toEqual(settings);
  });

  it('400: names each setting beyond its range', async () => {
    const settings = {
      maxKeysPerServiceAccount: 101,
      maxKeyLifetimeSeconds: 3_599,
      requestsPerMinute: null,
    };
    const answer = await administrator.client.post('/v1/organizations', { name: 'No', settings });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/settings/maxKeyLifetimeSeconds',
      '/settings/maxKeysPerServiceAccount',
      '/settings/requestsPerMinute',
    ]);
  });

  it('400: does not let the body choose an id or a status', async () => {
    const body = { name: 'No', id: newId('org'), status: 'active' };
    const answer = await administrator.client.post('/v1/organizations', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      expect.objectContaining({ pointer: '/id', code: 'unknown_property' }),
      expect.objectContaining({ pointer: '/status', code: 'unknown_property' }),
    ]);
  });

  it('403: is for instance administrators, not for owners or service accounts', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    for (const caller of [owner, account]) {
      const answer = await caller.client.post('/v1/organizations', { name: 'No' });
      expect(answer.status).toBe(403);
      expect(answer.body.required).toBe('instanceAdministrator');
    }
  });
});

describe('GET /v1/organizations', () => {
  it('200: shows people their own organizations only', async () => {
    const mine = await anOrganization(server);
    await anOrganization(server);
    const person = await aPerson(server, mine, { role: 'viewer' });
    const answer = await person.client.get('/v1/organizations');
    expect(answer.body.data.map((one: { id: string }) => one.id)).toEqual([mine.id]);
    expect(answer.body.paging).toEqual({});
  });

  it('200: shows a service account its own organization, if it may read it', async () => {
    const organization = await anOrganization(server);
    const viewer = await aServiceAccount(server, organization, { role: 'viewer' });
    const verifier = await aServiceAccount(server, organization, { role: 'verifier' });
    const seen = await viewer.client.get('/v1/organizations');
    expect(seen.body.data.map((one: { id: string }) => one.id)).toEqual([organization.id]);
    expect((await verifier.client.get('/v1/organizations')).body).toEqual({ data: [], paging: {} });
  });

  it('200: shows an instance administrator all, page by page in a stable order', async () => {
    for (const letter of ['b', 'a', 'c']) {
      await anOrganization(server, { name: `100%_ Paged ${letter}` });
    }
    const names: string[] = [];
    let after = '';
    do {
      const answer = await administrator.client.get(
        `/v1/organizations?search=${encodeURIComponent('100%_ paged')}&sort=-name&limit=2${after}`,
      );
      expect(answer.status).toBe(200);
      names.push(...answer.body.data.map((one: { name: string }) => one.name));
      const next = answer.body.paging.next?.after as string | undefined;
      after = next === undefined ? '' : `&after=${next}`;
    } while (after !== '');
    expect(names).toEqual(['100%_ Paged c', '100%_ Paged b', '100%_ Paged a']);
    const wildcard = await administrator.client.get(
      `/v1/organizations?search=${encodeURIComponent('1%0')}`,
    );
    expect(wildcard.body.data).toEqual([]);
  });

  it('400: refuses a cursor of another order', async () => {
    const first = await administrator.client.get('/v1/organizations?limit=1');
    const { after } = first.body.paging.next;
    const answer = await administrator.client.get(`/v1/organizations?sort=name&after=${after}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/after');
  });
});

describe('GET /v1/organizations/{organizationId}', () => {
  it('404: another organization is answered as one that does not exist', async () => {
    const mine = await anOrganization(server);
    const other = await anOrganization(server);
    const person = await aPerson(server, mine);
    const theirs = await person.client.get(other.path);
    const unknown = await person.client.get(`/v1/organizations/${newId('org')}`);
    expect(theirs.status).toBe(404);
    expect(withoutRequestId(theirs.body)).toEqual(withoutRequestId(unknown.body));
    expect(await eventsOf(server, { chain: other.id })).toEqual([]);
  });
});

describe('PATCH /v1/organizations/{organizationId}', () => {
  it('200: changes what is given, and says on the trail what it was before', async () => {
    const organization = await anOrganization(server, { name: 'Before', requestsPerMinute: 500 });
    const owner = await aPerson(server, organization);
    const answer = await owner.client.patch(organization.path, {
      name: 'After',
      settings: { maxKeysPerServiceAccount: 3 },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      name: 'After',
      settings: { maxKeysPerServiceAccount: 3, requestsPerMinute: 500 },
    });
    const [event] = await eventsOf(server, {
      chain: organization.id,
      action: 'organization.updated',
    });
    expect(event?.event.changes).toEqual({
      name: { before: 'Before', after: 'After' },
      maxKeysPerServiceAccount: { before: 10, after: 3 },
    });
  });

  it('200: shows the new name to keys whose credential was cached', async () => {
    const organization = await anOrganization(server, { name: 'Before' });
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    await owner.client.patch(organization.path, { name: 'After' });
    expect((await account.client.get('/v1/me')).body.organization.name).toBe('After');
  });

  it('200: changes nothing and records nothing when nothing differs', async () => {
    const organization = await anOrganization(server, { name: 'Same' });
    const owner = await aPerson(server, organization);
    const before = await owner.client.get(organization.path);
    const answer = await owner.client.patch(organization.path, { name: 'Same', settings: {} });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(before.body);
    expect(
      await eventsOf(server, { chain: organization.id, action: 'organization.updated' }),
    ).toEqual([]);
  });

  it('403: needs organization:manage', async () => {
    const organization = await anOrganization(server);
    const viewer = await aPerson(server, organization, { role: 'viewer' });
    const answer = await viewer.client.patch(organization.path, { name: 'No' });
    expect(answer.status).toBe(403);
    expect(answer.body.required).toBe('organization:manage');
  });
});

describe('DELETE /v1/organizations/{organizationId}', () => {
  it('204: ends the organization for its people and its keys at once; its trail stays', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get(organization.path)).status).toBe(200);
    expect((await owner.client.delete(organization.path)).status).toBe(204);
    expect((await account.client.get(organization.path)).status).toBe(401);
    expect((await owner.client.get(organization.path)).status).toBe(404);
    expect((await owner.client.delete(organization.path)).status).toBe(404);
    expect(
      (await administrator.client.get('/v1/organizations?limit=200')).body.data,
    ).not.toContainEqual(expect.objectContaining({ id: organization.id }));
    const events = await eventsOf(server, { chain: organization.id });
    expect(events.map(({ action }) => action)).toContain('organization.deleted');
    expect(events.at(-1)?.event).toMatchObject({
      reason: 'organization_deleted',
      actor: { type: 'serviceAccount', id: account.id },
    });
  });

  it('403: administrators of the organization may not delete it', async () => {
    const organization = await anOrganization(server);
    const admin = await aPerson(server, organization, { role: 'admin' });
    const answer = await admin.client.delete(organization.path);
    expect(answer.status).toBe(403);
    expect(answer.body.required).toBe('organization:delete');
  });
});

describe('POST /v1/organizations/{organizationId}/suspend and /resume', () => {
  const suspend = ({ path }: TestOrganization) => administrator.client.post(`${path}/suspend`);
  const resume = ({ path }: TestOrganization) => administrator.client.post(`${path}/resume`);

  it('200: refuses cached keys from the next request on, and lets them in again when resumed', async () => {
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization);
    expect((await account.client.get('/v1/me')).status).toBe(200);
    expect((await suspend(organization)).body.status).toBe('suspended');
    expect((await account.client.get('/v1/me')).status).toBe(401);
    expect((await resume(organization)).body.status).toBe('active');
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it('200: leaves members nothing but a look at the organization', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    await suspend(organization);
    const seen = await owner.client.get(organization.path);
    expect([seen.status, seen.body.status]).toEqual([200, 'suspended']);
    for (const answer of [
      await owner.client.get(`${organization.path}/users`),
      await owner.client.patch(organization.path, { name: 'No' }),
      await owner.client.delete(organization.path),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'organization_suspended']);
    }
  });

  it('200: records a suspension once, on the organization’s own trail', async () => {
    const organization = await anOrganization(server);
    await suspend(organization);
    expect((await suspend(organization)).status).toBe(200);
    const where = { chain: organization.id, action: 'organization.suspended' };
    expect((await eventsOf(server, where)).map(({ event }) => event.changes)).toEqual([
      { status: { before: 'active', after: 'suspended' } },
    ]);
  });

  it('403: is for instance administrators; 404 for owners elsewhere', async () => {
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    expect((await owner.client.post(`${organization.path}/suspend`)).status).toBe(403);
    const stranger = await aPerson(server, await anOrganization(server));
    expect((await stranger.client.post(`${organization.path}/suspend`)).status).toBe(404);
  });

  it('404: there is nothing to suspend', async () => {
    const path = `/v1/organizations/${newId('org')}`;
    expect((await administrator.client.post(`${path}/suspend`)).status).toBe(404);
  });
});
