import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let admin: TestPerson;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
});
afterAll(() => server.close());

const pathOf = ({ id }: { id: string }, of = organization) => `${of.path}/users/${id}`;
const anEmail = () => `new${(counter += 1)}@example.com`;
const codeOf = ({ status, body }: { status: number; body: { code: string } }) => [
  status,
  body.code,
];

describe('PATCH /v1/organizations/{organizationId}/users/{userId}', () => {
  it('200: a new role holds from the next request on', async () => {
    const user = await aPerson(server, organization, { role: 'viewer' });
    const body = { email: anEmail(), name: 'Made', role: 'viewer' };
    expect((await user.client.post(`${organization.path}/users`, body)).status).toBe(403);
    const answer = await owner.client.patch(pathOf(user), { role: 'provisioner' });
    expect(answer.status).toBe(200);
    expect(answer.body.role).toEqual({ key: 'provisioner', name: 'Provisioner' });
    expect((await user.client.post(`${organization.path}/users`, body)).status).toBe(201);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId, action: 'user.updated' });
    expect(event?.event.changes).toEqual({ role: { before: 'viewer', after: 'provisioner' } });
  });

  it('200: replaces attributes as a whole; nothing changed is nothing recorded', async () => {
    const user = await aPerson(server, organization, { role: 'viewer' });
    await owner.client.patch(pathOf(user), { attributes: { a: 1, b: 2 } });
    const answer = await owner.client.patch(pathOf(user), { attributes: { b: 2 } });
    expect(answer.body.attributes).toEqual({ b: 2 });
    const same = await owner.client.patch(pathOf(user), { attributes: { b: 2 }, role: 'viewer' });
    expect(same.status).toBe(200);
    const requestId = same.headers.get('x-request-id') ?? '';
    expect(await eventsOf(server, { requestId, action: 'user.updated' })).toEqual([]);
  });

  it('403: nobody changes their own role, up or down', async () => {
    const answer = await owner.client.patch(pathOf(owner), { role: 'admin' });
    expect(codeOf(answer)).toEqual([403, 'own_role']);
    const up = await admin.client.patch(pathOf(admin), { role: 'owner' });
    expect(codeOf(up)).toEqual([403, 'own_role']);
  });

  it('403: an admin can neither demote an owner nor make one', async () => {
    const down = await admin.client.patch(pathOf(owner), { role: 'viewer' });
    expect(codeOf(down)).toEqual([403, 'grant_exceeds_permissions']);
    const user = await aPerson(server, organization, { role: 'viewer' });
    const up = await admin.client.patch(pathOf(user), { role: 'owner' });
    expect(codeOf(up)).toEqual([403, 'grant_exceeds_permissions']);
  });

  it('400: names a role that is none', async () => {
    const user = await aPerson(server, organization, { role: 'viewer' });
    const answer = await owner.client.patch(pathOf(user), { role: 'emperor' });
    expect(answer.body.errors[0]).toMatchObject({ pointer: '/role', code: 'unknown_role' });
  });

  it('409: the last owner stays one, whoever asks', async () => {
    const own = await anOrganization(server);
    const last = await aPerson(server, own, { role: 'owner' });
    await aPerson(server, own, { role: 'owner', status: 'disabled' });
    const account = await aServiceAccount(server, own, { role: 'owner' });
    const path = pathOf(last, own);
    for (const answer of [
      await account.client.patch(path, { role: 'viewer' }),
      await account.client.post(`${path}/disable`),
      await account.client.delete(path),
      await last.client.post(`${path}/disable`),
      await last.client.delete(path),
    ]) {
      expect(codeOf(answer)).toEqual([409, 'last_owner']);
    }
  });

  it('200 and 409: of two owners who demote each other at once exactly one succeeds', async () => {
    for (let round = 0; round < 5; round += 1) {
      const own = await anOrganization(server);
      const [one, two] = [await aPerson(server, own), await aPerson(server, own)];
      const answers = await Promise.all([
        one.client.patch(pathOf(two, own), { role: 'viewer' }),
        two.client.patch(pathOf(one, own), { role: 'viewer' }),
      ]);
      const statuses = answers.map(({ status }) => status).sort();
      // The slower one fails for the last owner, or has lost the permission before it began.
      expect(statuses[0]).toBe(200);
      expect([403, 409]).toContain(statuses[1]);
      const owners = await server.database.system((tx) =>
        tx.membership.count({ where: { organizationId: own.id, roleKey: 'owner' } }),
      );
      expect(owners).toBe(1);
    }
  });
});

describe('POST /v1/organizations/{organizationId}/users/{userId}/disable and /enable', () => {
  it('200: takes access from the next request on and ends the sessions; enabling gives it back', async () => {
    const user = await aPerson(server, organization, { role: 'viewer' });
    expect((await user.client.get(organization.path)).status).toBe(200);
    const answer = await admin.client.post(`${pathOf(user)}/disable`);
    expect([answer.status, answer.body.status]).toEqual([200, 'disabled']);
    expect((await user.client.get(organization.path)).status).toBe(401);
    const { email, password } = user;
    expect((await server.client.post('/v1/sessions', { email, password })).status).toBe(401);
    const again = await admin.client.post(`${pathOf(user)}/disable`);
    expect(again.status).toBe(200);
    expect((await admin.client.post(`${pathOf(user)}/enable`)).body.status).toBe('active');
    const login = await server.client.post('/v1/sessions', { email, password });
    expect((await server.client.withToken(login.body.token).get(organization.path)).status).toBe(
      200,
    );
    const events = (await eventsOf(server, { chain: organization.id })).filter(
      ({ targetId }) => targetId === user.id,
    );
    expect(events.map(({ action }) => action)).toEqual(['user.disabled', 'user.enabled']);
    const [ended] = (await eventsOf(server, { chain: 'system', action: 'session.ended' })).filter(
      ({ targetId }) => targetId === user.sessionId,
    );
    expect(ended?.event.actor.id).toBe(admin.id);
  });

  it('200: a person who works in another organization too stays logged in there', async () => {
    const user = await aPerson(server, organization, { role: 'viewer' });
    const other = await anOrganization(server);
    const otherOwner = await aPerson(server, other);
    await otherOwner.client.post(`${other.path}/users`, {
      email: user.email,
      name: 'Same person',
      role: 'viewer',
    });
    await admin.client.post(`${pathOf(user)}/disable`);
    expect((await user.client.get(organization.path)).status).toBe(404);
    expect((await user.client.get(other.path)).status).toBe(200);
  });

  it('403: an admin can neither disable nor enable an owner', async () => {
    const disabled = await aPerson(server, organization, { role: 'owner', status: 'disabled' });
    for (const answer of [
      await admin.client.post(`${pathOf(owner)}/disable`),
      await admin.client.post(`${pathOf(disabled)}/enable`),
    ]) {
      expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    }
  });

  it('409: whoever has not accepted an invitation cannot be enabled', async () => {
    const invited = await aPerson(server, organization, { role: 'viewer', status: 'invited' });
    const answer = await owner.client.post(`${pathOf(invited)}/enable`);
    expect(codeOf(answer)).toEqual([409, 'not_disabled']);
  });

  it('404: there is no such user', async () => {
    expect((await owner.client.post(`${pathOf({ id: 'usr_x' })}/disable`)).status).toBe(404);
  });
});

describe('DELETE /v1/organizations/{organizationId}/users/{userId}', () => {
  it('204: the user is gone, their service accounts keep working without an owner', async () => {
    const user = await aPerson(server, organization, { role: 'admin' });
    const account = await aServiceAccount(server, organization, { ownerId: user.id });
    expect((await owner.client.delete(pathOf(user))).status).toBe(204);
    expect((await owner.client.get(pathOf(user))).status).toBe(404);
    expect((await owner.client.delete(pathOf(user))).status).toBe(404);
    expect((await user.client.get(organization.path)).status).toBe(404);
    expect((await account.client.get(organization.path)).status).toBe(200);
    const row = await server.database.system((tx) =>
      tx.serviceAccount.findFirstOrThrow({ where: { id: account.id } }),
    );
    expect(row).toMatchObject({ ownerId: null, organizationId: organization.id, deletedAt: null });
    const events = await eventsOf(server, { chain: organization.id, action: 'user.removed' });
    expect(events.at(-1)?.event.targets).toEqual([{ type: 'user', id: user.id, name: user.name }]);
  });

  it('403: an admin cannot remove an owner', async () => {
    const answer = await admin.client.delete(pathOf(owner));
    expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
  });

  it('204: an owner may leave while there is another', async () => {
    const own = await anOrganization(server);
    const leaving = await aPerson(server, own);
    await aPerson(server, own);
    expect((await leaving.client.delete(pathOf(leaving, own))).status).toBe(204);
  });
});
