import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUILT_IN_ROLES } from '../src/auth/permissions.js';
import { aKey, anOrganization, aPerson, aServiceAccount } from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const sorted = (permissions: readonly string[]) => [...permissions].sort();

describe('GET /v1/me', () => {
  it('200: tells a person who they are and what they may do where', async () => {
    const organization = await anOrganization(server);
    const person = await aPerson(server, organization, { role: 'provisioner' });
    const answer = await person.client.get('/v1/me');
    const { expiresAt, createdAt } = await server.database.system((tx) =>
      tx.session.findUniqueOrThrow({ where: { id: person.sessionId } }),
    );
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      kind: 'user',
      id: person.id,
      email: person.email,
      name: person.name,
      instanceAdministrator: false,
      organizations: [
        {
          id: organization.id,
          name: organization.name,
          status: 'active',
          role: { key: 'provisioner', name: 'Provisioner' },
          permissions: sorted(BUILT_IN_ROLES.provisioner.permissions),
        },
      ],
      session: {
        id: person.sessionId,
        expiresAt: expiresAt.toISOString(),
        authenticatedAt: createdAt.toISOString(),
      },
    });
  });

  it('200: tells that an organization is suspended, and so does a login', async () => {
    const organization = await anOrganization(server);
    const { client, email, password } = await aPerson(server, organization);
    const { id } = organization;
    const data = { status: 'suspended' };
    await server.database.system((tx) => tx.organization.update({ where: { id }, data }));
    const login = await server.client.post('/v1/sessions', { email, password });
    const me = await client.get('/v1/me');
    for (const { body } of [login, me]) {
      expect(body.organizations).toMatchObject([{ id, status: 'suspended' }]);
    }
  });

  it('200: tells a service account what its key may do, but never the token', async () => {
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    const expiresAt = new Date('2035-01-31T12:00:00.000Z');
    const permissions = ['users:read', 'audit:read', 'keys:read'];
    const key = await aKey(server, organization, account, {
      name: 'Narrow',
      permissions,
      expiresAt,
    });
    const answer = await key.client.get('/v1/me');
    expect(answer.body).toEqual({
      kind: 'serviceAccount',
      id: account.id,
      name: account.name,
      organization: { id: organization.id, name: organization.name },
      role: { key: 'viewer', name: 'Viewer' },
      permissions: ['keys:read', 'users:read'],
      key: {
        id: key.id,
        name: 'Narrow',
        obfuscatedToken: `clv_…${key.token.slice(-4)}`,
        expiresAt: '2035-01-31T12:00:00.000Z',
        permissions: ['audit:read', 'keys:read', 'users:read'],
      },
      accessToken: null,
    });
    const whole = await account.client.get('/v1/me');
    expect(whole.body.permissions).toEqual(sorted(BUILT_IN_ROLES.viewer.permissions));
    expect(whole.body.key).toMatchObject({ expiresAt: null, permissions: null });
  });

  it('200: answers from fresh permissions although the credential was cached', async () => {
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization, { role: 'viewer' });
    expect((await account.client.get('/v1/me')).body.role.key).toBe('viewer');
    await server.database.system(async (tx) => {
      await tx.serviceAccount.updateMany({
        where: { id: account.id },
        data: { roleKey: 'verifier' },
      });
      await tx.auditHead.update({
        where: { chain: organization.id },
        data: { authEpoch: { increment: 1 } },
      });
    });
    const answer = await account.client.get('/v1/me');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      role: { key: 'verifier', name: 'Verifier' },
      permissions: ['tokens:introspect'],
    });
  });

  it('401: without a credential', async () => {
    const answer = await server.client.get('/v1/me');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="claviger"');
  });
});

describe('PATCH /v1/me', () => {
  it('200: changes the caller’s name, with the old one on the trail', async () => {
    const person = await aPerson(server, null, { name: 'Ada Byron' });
    const answer = await person.client.patch('/v1/me', { name: 'Ada Lovelace' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ kind: 'user', id: person.id, name: 'Ada Lovelace' });
    expect((await person.client.get('/v1/me')).body.name).toBe('Ada Lovelace');
    const requestId = answer.headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId, action: 'user.updated' });
    expect(event?.event.changes).toEqual({
      name: { before: 'Ada Byron', after: 'Ada Lovelace' },
    });
  });

  it('400: an e-mail cannot be changed here', async () => {
    const person = await aPerson(server, null);
    const answer = await person.client.patch('/v1/me', { email: 'other@example.com' });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0]).toMatchObject({ pointer: '/email', code: 'unknown_property' });
  });

  it('403: is for people', async () => {
    const account = await aServiceAccount(server, await anOrganization(server), { role: 'owner' });
    expect((await account.client.patch('/v1/me', { name: 'No' })).status).toBe(403);
  });
});

describe('POST /v1/me/password', () => {
  const newPassword = 'another long passphrase';

  it('204: the new password works, the old one and all sessions do not', async () => {
    const person = await aPerson(server, null);
    const { email, password } = person;
    const other = await server.client.post('/v1/sessions', { email, password });
    const answer = await person.client.post('/v1/me/password', {
      currentPassword: password,
      newPassword,
    });
    expect(answer.status).toBe(204);
    expect((await person.client.get('/v1/me')).status).toBe(401);
    expect((await server.client.withToken(other.body.token).get('/v1/me')).status).toBe(401);
    expect((await server.client.post('/v1/sessions', { email, password })).status).toBe(401);
    const again = await server.client.post('/v1/sessions', { email, password: newPassword });
    expect(again.status).toBe(201);
    const events = await eventsOf(server, { requestId: answer.headers.get('x-request-id') ?? '' });
    expect(events.map(({ action }) => action)).toEqual([
      'password.changed',
      'session.ended',
      'session.ended',
      'http.request',
    ]);
  });

  it('400: names a wrong current password, and a new one that is too short', async () => {
    const person = await aPerson(server, null);
    const wrong = await person.client.post('/v1/me/password', {
      currentPassword: 'not my password',
      newPassword,
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors[0]).toMatchObject({
      pointer: '/currentPassword',
      code: 'wrong_password',
    });
    const short = await person.client.post('/v1/me/password', {
      currentPassword: person.password,
      newPassword: 'elevenchars',
    });
    expect(short.status).toBe(400);
    expect(short.body.errors[0]).toMatchObject({ pointer: '/newPassword', code: 'weak_password' });
  });
});
