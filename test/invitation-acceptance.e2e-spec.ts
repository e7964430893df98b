import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { remember } from './canary.js';
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
/** As somebody who is logged in and so has a password already. */
const acceptAs = ({ client }: { client: Client }, token: string) =>
  client.post('/v1/invitations/accept', { token });
const expire = (id: string) =>
  server.database.system((tx) =>
    tx.invitation.updateMany({ where: { id }, data: { expiresAt: new Date(Date.now() - 1_000) } }),
  );

describe('a user who has not accepted', () => {
  it('has no access, and cannot be enabled', async () => {
    const person = await aPerson(server, await anOrganization(server));
    const { body } = await invite({ email: person.email });
    expect((await person.client.get(organization.path)).status).toBe(404);
    expect((await person.client.get('/v1/me')).body.organizations).toHaveLength(1);
    expect(codeOf(await owner.client.post(`${userOf(body)}/enable`))).toEqual([
      409,
      'not_disabled',
    ]);
  });

  it.each([
    ['removed', (path: string) => owner.client.delete(path)],
    ['disabled', (path: string) => owner.client.post(`${path}/disable`)],
  ])('cannot accept any more once %s', async (_what, change) => {
    const { body } = await invite();
    expect((await change(userOf(body))).status).toBeLessThan(300);
    expect((await accept(body.token)).status).toBe(404);
    expect((await owner.client.get(pathOf(body))).body.status).toBe('revoked');
    expect(codeOf(await owner.client.post(`${pathOf(body)}/resend`))).toEqual([
      409,
      'invitation_revoked',
    ]);
  });

  it('holds up the deletion of the role', async () => {
    const role = { key: 'temporary', name: 'Temporary', permissions: ['users:read'] };
    expect((await owner.client.post(`${organization.path}/roles`, role)).status).toBe(201);
    const { body } = await invite({ role: 'temporary' });
    const path = `${organization.path}/roles/temporary`;
    expect(codeOf(await owner.client.delete(path))).toEqual([409, 'role_in_use']);
    await owner.client.delete(pathOf(body));
    expect((await owner.client.delete(path)).status).toBe(204);
    expect((await owner.client.get(pathOf(body))).body.role).toEqual({
      key: 'temporary',
      name: 'temporary',
    });
  });
});

describe('POST /v1/invitations/accept', () => {
  it('200: somebody new sets password and name, is logged in and works', async () => {
    const { body } = await invite({ role: 'provisioner' });
    const answer = await accept(body.token, { name: 'Own Choice' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      token: expect.stringMatching(/^clvs_/),
      expiresAt: expect.stringMatching(/Z$/),
      user: {
        id: body.userId,
        email: body.email,
        name: 'Own Choice',
        instanceAdministrator: false,
      },
      organizations: [expect.objectContaining({ id: organization.id, name: 'Acme' })],
    });
    const client = server.client.withToken(answer.body.token);
    expect((await client.get(userOf(body))).body).toMatchObject({
      name: 'Own Choice',
      status: 'active',
    });
    const login = { email: body.email, password: PASSWORD };
    expect((await server.client.post('/v1/sessions', login)).status).toBe(201);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    const person = { type: 'user', id: body.userId, name: 'Own Choice' };
    const [accepted] = events.filter(({ action }) => action === 'invitation.accepted');
    expect(accepted).toMatchObject({
      chain: organization.id,
      event: {
        actor: person,
        targets: [{ type: 'invitation', id: body.id, name: 'Own Choice' }, person],
        changes: { status: { before: 'invited', after: 'active' } },
        details: { link: 'shown' },
        reason: 'first_password',
      },
    });
    expect(JSON.stringify(events.map((event) => event.body))).not.toContain(body.token);
  });

  it('200: an existing person accepts with their session, and keeps name and password', async () => {
    const person = await aPerson(server, await anOrganization(server));
    const { body } = await invite({ email: person.email });
    const answer = await acceptAs(person, body.token);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      user: {
        id: person.id,
        email: person.email,
        name: person.name,
        instanceAdministrator: false,
      },
      organizations: expect.arrayContaining([expect.objectContaining({ id: organization.id })]),
    });
    expect((await person.client.get(organization.path)).status).toBe(200);
    expect((await owner.client.get(userOf(body))).body.name).toBe(person.name);
    expect(answer.body.organizations).toHaveLength(2);
    const login = { email: person.email, password: PASSWORD };
    expect((await server.client.post('/v1/sessions', login)).status).toBe(201);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId, action: 'http.request' });
    expect(events.map(({ event }) => event.actor.id)).toEqual([person.id]);
  });

  it('200 and 404: of several at once exactly one wins', async () => {
    const { body } = await invite();
    const answers = await Promise.all(
      ['one', 'two', 'three', 'four'].map((name) =>
        accept(body.token, { name, password: `the passphrase of ${name}` }),
      ),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404]);
    const { name } = winners[0]?.body.user ?? {};
    const login = { email: body.email, password: `the passphrase of ${name}` };
    expect((await server.client.post('/v1/sessions', login)).status).toBe(201);
    const accepted = (await eventsOf(server, { action: 'invitation.accepted' })).filter(
      ({ targetId }) => targetId === body.id,
    );
    expect(accepted).toHaveLength(1);
  });

  it('404: the same bytes for unknown, wrong, used, void, revoked and expired ones', async () => {
    const made = await Promise.all([invite(), invite(), invite(), invite()]);
    const [used, revoked, expired, resent] = made.map(({ body }) => body);
    await accept(used.token);
    await provisioner.delete(pathOf(revoked));
    await expire(expired.id);
    await provisioner.post(`${pathOf(resent)}/resend`);
    const { tokenPrefix } = server.instance;
    const unknown = createToken(tokenPrefix, 'invitation', newId('inv'));
    const wrong = createToken(tokenPrefix, 'invitation', resent.id);
    const setup = createToken(tokenPrefix, 'setup', newId('stp'));
    for (const token of [unknown, wrong, setup]) remember(token);
    const answers = [];
    for (const token of [
      unknown,
      wrong,
      setup,
      'clvi_nonsense',
      used.token,
      revoked.token,
      expired.token,
      resent.token,
    ]) {
      answers.push(await accept(token));
    }
    expect(codeOf(answers[0] as Answer)).toEqual([404, 'not_found']);
    expect(new Set(answers.map(asSeen)).size).toBe(1);
  });

  it('404: while the organization is suspended', async () => {
    const own = await anOrganization(server);
    const { body } = await invite({}, (await aPerson(server, own)).client, own);
    const suspend = (status: string) =>
      server.database.system((tx) =>
        tx.organization.update({ where: { id: own.id }, data: { status } }),
      );
    await suspend('suspended');
    expect((await accept(body.token)).status).toBe(404);
    await suspend('active');
    expect((await accept(body.token)).status).toBe(200);
  });

  it('401: an existing person without a session; their password stays', async () => {
    const person = await aPerson(server, await anOrganization(server));
    const { body } = await invite({ email: person.email });
    const answer = await accept(body.token, { password: 'somebody else’s passphrase' });
    expect(codeOf(answer)).toEqual([401, 'login_required']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="claviger"');
    const login = { email: person.email, password: PASSWORD };
    expect((await server.client.post('/v1/sessions', login)).status).toBe(201);
    expect((await acceptAs(person, body.token)).status).toBe(200);
  });

  it('401: whoever works elsewhere without a password: the inviter’s token must not open that', async () => {
    const other = await anOrganization(server);
    const email = anEmail();
    const them = await aPerson(server, other);
    const made = await them.client.post(`${other.path}/users`, {
      email,
      name: 'Active',
      role: 'viewer',
    });
    expect(made.body.status).toBe('active');
    const { body } = await invite({ email });
    expect(codeOf(await accept(body.token))).toEqual([401, 'login_required']);
    const login = { email, password: PASSWORD };
    expect((await server.client.post('/v1/sessions', login)).status).toBe(401);
  });

  it('200 and 401: of two organizations that invite somebody new only one sets the password', async () => {
    const other = await anOrganization(server);
    const them = await aPerson(server, other);
    const email = anEmail();
    const [first, second] = [await invite({ email }), await invite({ email }, them.client, other)];
    expect(second.body.userId).toBe(first.body.userId);
    const login = await accept(first.body.token);
    expect(login.status).toBe(200);
    expect(codeOf(await accept(second.body.token))).toEqual([401, 'login_required']);
    const client = server.client.withToken(login.body.token);
    expect((await acceptAs({ client }, second.body.token)).status).toBe(200);
    expect((await client.get(other.path)).status).toBe(200);
  });

  it('403: somebody else’s session; 401: one that has ended', async () => {
    const { body } = await invite();
    expect(codeOf(await acceptAs(admin, body.token))).toEqual([403, 'wrong_person']);
    const ended = await aPerson(server, organization);
    await ended.client.delete('/v1/sessions/current');
    expect(codeOf(await acceptAs(ended, body.token))).toEqual([401, 'invalid_token']);
    expect((await accept(body.token)).status).toBe(200);
  });

  it('403: a service account, whatever it presents', async () => {
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    const { body } = await invite();
    const answer = await accept(body.token, {}, account.client);
    expect(codeOf(answer)).toEqual([403, 'people_only']);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId });
    expect(event).toMatchObject({ chain: organization.id, keyId: account.keyId });
    expect((await accept(account.token)).status).toBe(404);
    expect(codeOf(await account.client.get('/v1/sessions'))).toEqual([403, 'people_only']);
    const change = { currentPassword: PASSWORD, newPassword: PASSWORD };
    expect(codeOf(await account.client.post('/v1/me/password', change))).toEqual([
      403,
      'people_only',
    ]);
    for (const secret of [account.id, account.name, account.token]) {
      const login = { email: secret, password: account.token };
      expect((await server.client.post('/v1/sessions', login)).status).toBe(401);
    }
    expect((await owner.client.get(userOf(body))).body.status).toBe('invited');
  });

  it('400: a first password must be given and good; a further one and a name are refused', async () => {
    const { body } = await invite();
    const faultOf = ({ status, body: { errors } }: Answer) => [
      status,
      errors?.[0].pointer,
      errors?.[0].code,
    ];
    expect(faultOf(await accept(body.token, { password: undefined }))).toEqual([
      400,
      '/password',
      'required',
    ]);
    expect(faultOf(await accept(body.token, { password: 'short' }))).toEqual([
      400,
      '/password',
      'weak_password',
    ]);
    const person = await aPerson(server, await anOrganization(server));
    const theirs = await invite({ email: person.email });
    for (const [field, value] of Object.entries({ password: PASSWORD, name: 'Another' })) {
      const input = { password: undefined, [field]: value };
      expect(faultOf(await accept(theirs.body.token, input, person.client))).toEqual([
        400,
        `/${field}`,
        'not_allowed',
      ]);
    }
    expect((await accept(body.token)).status).toBe(200);
  });

  it('401: the token is no bearer token', async () => {
    const { body } = await invite();
    expect((await server.client.withToken(body.token).get('/v1/me')).status).toBe(401);
  });
});
