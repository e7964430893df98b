import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  PASSWORD,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Answer, type Client, eventsOf, startServer, type TestServer } from './harness.js';
import { asSeen } from './same-answer.js';

let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;
let admin: TestPerson;
let provisioner: Client;
let counter = 0;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server, { name: 'Acme' });
  owner = await aPerson(server, organization, { role: 'owner' });
  admin = await aPerson(server, organization, { role: 'admin' });
  provisioner = (await aServiceAccount(server, organization, { role: 'provisioner' })).client;
});
afterAll(() => server.close());

const codeOf = ({ status, body }: Answer) => [status, body.code];
const anEmail = () => `invited${(counter += 1)}@example.com`;
const invite = (changes: object = {}, client = provisioner, to = organization) =>
  client.post(`${to.path}/invitations`, {
    email: anEmail(),
    name: 'Grace Hopper',
    role: 'viewer',
    ...changes,
  });
const pathOf = ({ id }: { id: string }, of = organization) => `${of.path}/invitations/${id}`;
const userOf = ({ userId }: { userId: string }, of = organization) => `${of.path}/users/${userId}`;
const accept = (token: string, changes: object = {}, client = server.client) =>
  client.post('/v1/invitations/accept', { token, password: PASSWORD, ...changes });
const expire = (id: string) =>
  server.database.system((tx) =>
    tx.invitation.updateMany({ where: { id }, data: { expiresAt: new Date(Date.now() - 1_000) } }),
  );

describe('POST /v1/organizations/{organizationId}/users with invite', () => {
  it('201: an integration creates a user with an invitation, whose token is shown once', async () => {
    const email = anEmail();
    const answer = await provisioner.post(`${organization.path}/users`, {
      email: email.toUpperCase(),
      name: 'Grace Hopper',
      role: 'viewer',
      attributes: { team: 'Compilers' },
      invite: true,
    });
    expect(answer.status).toBe(201);
    const { invitation, ...user } = answer.body;
    expect(user).toMatchObject({ email, name: 'Grace Hopper', status: 'invited' });
    expect(answer.headers.get('location')).toBe(`${organization.path}/users/${user.id}`);
    expect(invitation).toEqual({
      id: expect.stringMatching(/^inv_/),
      userId: user.id,
      email,
      role: { key: 'viewer', name: 'Viewer' },
      status: 'pending',
      expiresAt: expect.stringMatching(/Z$/),
      createdAt: expect.stringMatching(/Z$/),
      createdBy: user.createdBy,
      token: expect.stringMatching(/^clvi_[0-9a-z]{26}_[0-9A-Za-z]{49}$/),
      link: `http://localhost:3000/invitation#token=${invitation.token}`,
      mailed: false,
    });
    const days = (Date.parse(invitation.expiresAt) - Date.parse(invitation.createdAt)) / 86_400_000;
    expect(days).toBeCloseTo(7, 3);
    const { token, link, mailed, ...shown } = invitation;
    expect([token, link, mailed]).not.toContain(undefined);
    expect((await owner.client.get(pathOf(invitation))).body).toEqual(shown);
    expect((await owner.client.get(`${organization.path}/users/${user.id}`)).body).toEqual(user);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ action }) => action)).toEqual(['user.invited', 'http.request']);
    expect(events[0]?.event.targets).toEqual([
      { type: 'user', id: user.id, name: 'Grace Hopper' },
      { type: 'invitation', id: invitation.id, name: 'Grace Hopper' },
    ]);
  });

  it('201: without it the user is active at once', async () => {
    const body = { email: anEmail(), name: 'Now', role: 'viewer', invite: false };
    const answer = await provisioner.post(`${organization.path}/users`, body);
    expect([answer.status, answer.body.status]).toEqual([201, 'active']);
    expect(answer.body).not.toHaveProperty('invitation');
  });

  it('201: a retry with the same Idempotency-Key gets the same token, and nothing is made twice', async () => {
    const headers = { 'idempotency-key': newId('req') };
    const body = { email: anEmail(), name: 'Retry', role: 'viewer', invite: true };
    const path = `${organization.path}/users`;
    const first = await provisioner.post(path, body, headers);
    const retry = await provisioner.post(path, body, headers);
    expect([first.status, retry.status]).toEqual([201, 201]);
    expect(retry.body).toEqual(first.body);
    expect(retry.headers.get('idempotency-replayed')).toBe('true');
    const rows = await server.database.system((tx) =>
      tx.invitation.count({ where: { userId: first.body.id } }),
    );
    expect(rows).toBe(1);
    expect((await accept(retry.body.invitation.token)).status).toBe(200);
  });

  it('400: nothing but true and false', async () => {
    const body = { email: anEmail(), name: 'No', role: 'viewer', invite: 'yes' };
    const answer = await provisioner.post(`${organization.path}/users`, body);
    expect(answer.body.errors[0].pointer).toBe('/invite');
  });
});

describe('POST /v1/organizations/{organizationId}/invitations', () => {
  it('201: answers the invitation and where it is', async () => {
    const answer = await invite();
    expect(answer.status).toBe(201);
    const shown = await owner.client.get(pathOf(answer.body));
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'));
    expect(answer.headers.get('location')).toBe(pathOf(answer.body));
    expect((await owner.client.get(userOf(answer.body))).body.status).toBe('invited');
  });

  it('201: nothing tells whether the person is somewhere else', async () => {
    const elsewhere = await aPerson(server, await anOrganization(server), {
      name: 'Zoe Own-Name',
      email: anEmail(),
    });
    const { email, password } = elsewhere;
    expect((await server.client.post('/v1/sessions', { email, password })).status).toBe(201);
    const known = await invite({ email: elsewhere.email, name: 'Somebody' });
    const unknown = await invite({ name: 'Somebody' });
    const anonymous = (answer: Answer) => {
      const { id, userId, email, token, createdAt, expiresAt } = answer.body;
      const tag = /^"1-(.+)"$/.exec(answer.headers.get('etag') ?? '')?.[1] ?? 'no tag';
      return [token, id, userId, email, createdAt, expiresAt, tag].reduce(
        (text, value) => text.replaceAll(value, '…'),
        asSeen(answer),
      );
    };
    expect(anonymous(known)).toBe(anonymous(unknown));
    const shown = await owner.client.get(userOf(known.body));
    expect(shown.body).toMatchObject({ name: 'Somebody', lastLoginAt: null, status: 'invited' });
    const list = (query: string) => owner.client.get(`${organization.path}/users?${query}`);
    expect((await list('search=Own-Name')).body.data).toEqual([]);
    const last = (await list('status=invited&sort=-name')).body.data[0];
    expect(last.name).not.toContain('Zoe');
    const events = await eventsOf(server, { chain: organization.id });
    expect(JSON.stringify(events.map(({ body }) => body))).not.toContain('Own-Name');
  });

  it('201: ids of people do not tell when they were made', async () => {
    const versions = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const { body } = await invite();
      versions.add(body.userId.slice(4, 8));
    }
    expect(versions.size).toBe(3);
  });

  it('409: somebody who is a user already, by their id', async () => {
    const first = await invite();
    const again = await invite({ email: first.body.email });
    expect(codeOf(again)).toEqual([409, 'email_taken']);
    expect(again.body.detail).toContain(first.body.userId);
    const active = await invite({ email: owner.email });
    expect(active.body.detail).toContain(owner.id);
  });

  it('403: nobody invites above themselves, and nothing is made', async () => {
    const email = anEmail();
    expect(codeOf(await invite({ email, role: 'admin' }))).toEqual([
      403,
      'grant_exceeds_permissions',
    ]);
    const found = await server.database.system((tx) => tx.user.findUnique({ where: { email } }));
    expect(found).toBeNull();
  });

  it('403: viewers invite nobody', async () => {
    const viewer = await aPerson(server, organization, { role: 'viewer' });
    const answer = await invite({}, viewer.client);
    expect([answer.status, answer.body.required]).toEqual([403, 'users:manage']);
  });

  it.each([
    [{ email: 'no address' }, '/email'],
    [{ email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    [{ name: 'a\nb' }, '/name'],
    [{ role: 'emperor' }, '/role'],
    [{ token: 'mine' }, '/token'],
  ])('400: %j is refused at %s', async (fault, pointer) => {
    const answer = await invite(fault);
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });
});

describe('GET /v1/organizations/{organizationId}/invitations', () => {
  it('200: filters by the status that the database’s clock says, searches, sorts and pages', async () => {
    const own = await anOrganization(server);
    const { client } = await aPerson(server, own);
    const made = [];
    for (const name of ['pending', 'accepted', 'revoked', 'expired']) {
      made.push((await invite({ email: `${name}@list.example` }, client, own)).body);
    }
    const [pending, accepted, revoked, expired] = made;
    expect((await accept(accepted.token)).status).toBe(200);
    expect((await client.delete(pathOf(revoked, own))).status).toBe(204);
    await expire(expired.id);
    const ids = async (query: string) => {
      const { body } = await client.get(`${own.path}/invitations?${query}`);
      return body.data.map(({ id }: { id: string }) => id);
    };
    for (const [index, status] of ['pending', 'accepted', 'revoked', 'expired'].entries()) {
      expect(await ids(`status=${status}`)).toEqual([made[index].id]);
      expect((await client.get(pathOf(made[index], own))).body.status).toBe(status);
    }
    expect(await ids('')).toEqual([...made].reverse().map(({ id }) => id));
    expect(await ids('sort=email')).toEqual(
      [accepted, expired, pending, revoked].map(({ id }) => id),
    );
    expect(await ids('search=PEND')).toEqual([pending.id]);
    const first = await client.get(`${own.path}/invitations?limit=3`);
    expect(await ids(`limit=3&after=${first.body.paging.next.after}`)).toEqual([pending.id]);
    expect(JSON.stringify(first.body)).not.toMatch(/token|link/);
  });

  it('200: shows the role that the user would have now', async () => {
    const { body } = await invite();
    await owner.client.patch(userOf(body), { role: 'auditor' });
    expect((await owner.client.get(pathOf(body))).body.role.key).toBe('auditor');
  });

  it('404: an invitation of another organization is answered as none', async () => {
    const other = await anOrganization(server);
    const stranger = await aPerson(server, other);
    const theirs = (await invite({}, stranger.client, other)).body;
    for (const call of ['get', 'delete'] as const) {
      const [foreign, missing] = [
        await owner.client[call](pathOf(theirs)),
        await owner.client[call](pathOf({ id: newId('inv') })),
      ];
      expect(foreign.status).toBe(404);
      expect(asSeen(foreign)).toBe(asSeen(missing));
    }
    expect((await owner.client.post(`${pathOf(theirs)}/resend`)).status).toBe(404);
    expect((await owner.client.get(pathOf({ id: 'inv_x' }))).status).toBe(404);
  });
});

describe('POST …/invitations/{invitationId}/resend', () => {
  it('200: the new token works for 7 days, the old one is void', async () => {
    const { body: first } = await invite();
    await expire(first.id);
    expect((await accept(first.token)).status).toBe(404);
    const again = await provisioner.post(`${pathOf(first)}/resend`);
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: first.id, status: 'pending', mailed: false });
    expect(again.body.token).not.toBe(first.token);
    expect(Date.parse(again.body.expiresAt)).toBeGreaterThan(Date.now() + 6.9 * 86_400_000);
    expect((await accept(first.token)).status).toBe(404);
    expect((await accept(again.body.token)).status).toBe(200);
    const requestId = again.headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId, action: 'invitation.resent' });
    expect(event?.event.targets[0]).toEqual({
      type: 'invitation',
      id: first.id,
      name: 'Grace Hopper',
    });
  });

  it('412: to whoever has seen another version', async () => {
    const made = await invite();
    const headers = { 'if-match': made.headers.get('etag') ?? '' };
    const path = pathOf(made.body);
    expect((await provisioner.post(`${path}/resend`, undefined, headers)).status).toBe(200);
    expect((await provisioner.post(`${path}/resend`, undefined, headers)).status).toBe(412);
    expect((await provisioner.delete(path, headers)).status).toBe(412);
    expect((await provisioner.delete(path)).status).toBe(204);
  });

  it('409: once it is accepted or revoked', async () => {
    const [one, two] = [(await invite()).body, (await invite()).body];
    await accept(one.token);
    await provisioner.delete(pathOf(two));
    expect(codeOf(await provisioner.post(`${pathOf(one)}/resend`))).toEqual([
      409,
      'invitation_accepted',
    ]);
    expect(codeOf(await provisioner.post(`${pathOf(two)}/resend`))).toEqual([
      409,
      'invitation_revoked',
    ]);
  });

  it('403: a token for a role beyond one’s own', async () => {
    const { body } = await invite({ role: 'owner' }, owner.client);
    for (const answer of [
      await admin.client.post(`${pathOf(body)}/resend`),
      await admin.client.delete(pathOf(body)),
    ]) {
      expect(codeOf(answer)).toEqual([403, 'grant_exceeds_permissions']);
    }
  });
});

describe('DELETE …/invitations/{invitationId}', () => {
  it('204: the token is void and the user gone; again: 204 and no event', async () => {
    const { body } = await invite();
    expect((await provisioner.delete(pathOf(body))).status).toBe(204);
    expect((await accept(body.token)).status).toBe(404);
    expect((await owner.client.get(userOf(body))).status).toBe(404);
    const again = await provisioner.delete(pathOf(body));
    expect(again.status).toBe(204);
    const requestId = again.headers.get('x-request-id') ?? '';
    expect((await eventsOf(server, { requestId })).map(({ action }) => action)).toEqual([
      'http.request',
    ]);
    const events = await eventsOf(server, { chain: organization.id, action: 'invitation.revoked' });
    expect(events.at(-1)?.targetId).toBe(body.id);
    expect((await invite({ email: body.email })).status).toBe(201);
  });

  it('204: an expired one too', async () => {
    const { body } = await invite();
    await expire(body.id);
    expect((await provisioner.delete(pathOf(body))).status).toBe(204);
    expect((await owner.client.get(userOf(body))).status).toBe(404);
  });

  it('409: an accepted one, whose user stays', async () => {
    const { body } = await invite();
    await accept(body.token);
    expect(codeOf(await provisioner.delete(pathOf(body)))).toEqual([409, 'invitation_accepted']);
    expect((await owner.client.get(userOf(body))).body.status).toBe('active');
  });
});
