import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { remember } from './canary.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';

const FIRST = 'the very first passphrase';
remember(FIRST);

let server: TestServer;
let organization: TestOrganization;
let provisioner: TestServiceAccount;
let owner: TestPerson;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
  provisioner = await aServiceAccount(server, organization, { role: 'provisioner' });
  owner = await aPerson(server, organization, { role: 'owner' });
});
afterAll(() => server.close());

/** Somebody whom a job has made active at once. */
async function aUser(role = 'viewer'): Promise<{ id: string; email: string; path: string }> {
  const email = `made${(counter += 1)}@example.com`;
  const { body } = await owner.client.post(`${organization.path}/users`, {
    email,
    name: 'Grace Hopper',
    role,
  });
  return { id: body.id, email, path: `${organization.path}/users/${body.id}` };
}

const accept = (token: string, client = server.client, more: object = {}) =>
  client.post('/v1/invitations/accept', { token, ...more });

describe('POST /v1/organizations/{organizationId}/users/{userId}/invite', () => {
  it('201: a user who was made active at once sets a first password without any mail', async () => {
    const user = await aUser();
    const answer = await provisioner.client.post(`${user.path}/invite`);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email: user.email, status: 'pending', mailed: false });
    expect(answer.headers.get('location')).toBe(
      `${organization.path}/invitations/${answer.body.id}`,
    );
    expect((await owner.client.get(user.path)).body).toMatchObject({
      status: 'invited',
      name: 'Grace Hopper',
    });
    const accepted = await accept(answer.body.token, server.client, { password: FIRST });
    expect(accepted.status).toBe(200);
    const person = server.client.withToken(accepted.body.token);
    expect((await person.get(organization.path)).status).toBe(200);
    expect((await owner.client.get(user.path)).body.status).toBe('active');
    const requestId = answer.headers.get('x-request-id')!;
    const [event] = await eventsOf(server, { requestId, action: 'user.invited' });
    expect(event!.event).toMatchObject({
      actor: { id: provisioner.id },
      key: { id: provisioner.keyId },
      targets: [
        { type: 'user', id: user.id },
        { type: 'invitation', id: answer.body.id },
      ],
    });
  });

  it('201: the same answer, link included, for the same Idempotency-Key', async () => {
    const { path } = await aUser();
    const ask = () =>
      provisioner.client.post(`${path}/invite`, undefined, { 'idempotency-key': 'once' });
    const [first, again] = [await ask(), await ask()];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
  });

  it('201: somebody who exists elsewhere gets the same answer, and accepts with their session', async () => {
    const elsewhere = await aPerson(server, await anOrganization(server));
    const { body } = await owner.client.post(`${organization.path}/users`, {
      email: elsewhere.email,
      name: 'Somebody',
      role: 'viewer',
    });
    const { status, body: invitation } = await provisioner.client.post(
      `${organization.path}/users/${body.id}/invite`,
    );
    expect(status).toBe(201);
    expect((await accept(invitation.token, server.client, { password: FIRST })).status).toBe(401);
    expect((await accept(invitation.token, elsewhere.client)).status).toBe(200);
  });

  it('403: not for somebody with more permissions', async () => {
    const { path } = await aUser('admin');
    const { status, body } = await provisioner.client.post(`${path}/invite`);
    expect([status, body.code]).toEqual([403, 'grant_exceeds_permissions']);
    expect((await owner.client.get(path)).body.status).toBe('active');
  });

  it('404: nobody of this organization', async () => {
    const stranger = await aPerson(server, await anOrganization(server));
    const path = `${organization.path}/users/${stranger.id}/invite`;
    expect((await provisioner.client.post(path)).status).toBe(404);
  });

  it('409: whoever is invited, disabled or has accepted; and nobody invites themselves', async () => {
    const code = async (path: string) => {
      const { status, body } = await owner.client.post(`${path}/invite`);
      return [status, body.code];
    };
    const user = await aUser();
    const { body } = await owner.client.post(`${user.path}/invite`);
    expect(await code(user.path)).toEqual([409, 'not_invitable']);
    await accept(body.token, server.client, { password: FIRST });
    expect(await code(user.path)).toEqual([409, 'not_invitable']);
    const disabled = await aUser();
    await owner.client.post(`${disabled.path}/disable`);
    expect(await code(disabled.path)).toEqual([409, 'not_invitable']);
    expect(await code(`${organization.path}/users/${owner.id}`)).toEqual([409, 'not_invitable']);
  });

  it('409: the last active owner stays one', async () => {
    const other = await anOrganization(server);
    const last = await aPerson(server, other);
    const maker = await aServiceAccount(server, other, { role: 'owner' });
    const { status, body } = await maker.client.post(`${other.path}/users/${last.id}/invite`);
    expect([status, body.code]).toEqual([409, 'last_owner']);
  });
});
