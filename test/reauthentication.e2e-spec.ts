import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PasswordHasher } from '../src/crypto/password.js';
import { browserOf, HERE } from './cookies.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  PASSWORD,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import {
  type Answer,
  changesOf,
  type Client,
  errorsOf,
  eventsOf,
  startServer,
  type TestServer,
} from './harness.js';
import { importFrom } from './imports.js';
import { makeStale } from './stale.js';

const WRONG = 'not the password at all';
const CHALLENGE =
  'Bearer realm="claviger", error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="900"';

let server: TestServer;
let organization: TestOrganization;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
});
afterAll(() => server.close());
afterEach(() => void jest.restoreAllMocks());

const prove = (client: Client, password = PASSWORD, headers = {}) =>
  client.post('/v1/sessions/current/reauthenticate', { password }, headers);

const CALLED = { key: 'called', name: 'Called', permissions: [] };
const act = (client: Client, headers = {}) =>
  client.post(`${organization.path}/roles`, { ...CALLED, key: `called-${(roles += 1)}` }, headers);
let roles = 0;

const codeOf = ({ status, body }: Answer) => [status, body?.code];
const STALE = [401, 'reauthentication_required'];

async function stalePerson(): Promise<TestPerson> {
  const person = await aPerson(server, organization);
  await makeStale(server, person);
  return person;
}

async function eventOf(answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  const [found] = await eventsOf(server, { requestId, action: 'http.request' });
  return found!;
}

describe('what is dangerous', () => {
  it('401: tells what is wanted, changes nothing, and the trail says who and why', async () => {
    const person = await stalePerson();
    const answer = await act(person.client);
    expect(codeOf(answer)).toEqual(STALE);
    expect(answer.headers.get('www-authenticate')).toBe(CHALLENGE);
    expect(answer.body.detail).toContain('15 minutes');
    expect(await changesOf(server, answer)).toEqual([]);
    const { chain, event } = await eventOf(answer);
    expect(chain).toBe(organization.id);
    expect(event).toMatchObject({
      actor: { type: 'user', id: person.id, name: person.name },
      outcome: 'denied',
      reason: 'reauthentication_required',
      permission: 'roles:manage',
    });
    expect((await person.client.get('/v1/me')).status).toBe(200);
  });

  it('goes on for 15 minutes from the login, by the database’s clock', async () => {
    const person = await aPerson(server, organization);
    await makeStale(server, person, 890);
    expect((await act(person.client)).status).toBe(201);
    await makeStale(server, person, 900);
    expect(codeOf(await act(person.client))).toEqual(STALE);
    const { body } = await server.client.post('/v1/sessions', {
      email: person.email,
      password: PASSWORD,
    });
    expect((await act(server.client.withToken(body.token))).status).toBe(201);
  });

  it('counts a session of a server from before from its beginning', async () => {
    const person = await aPerson(server, organization);
    const beginning = (createdAt: Date) =>
      server.database.system((tx) =>
        tx.session.update({
          where: { id: person.sessionId },
          data: { createdAt, authenticatedAt: null },
        }),
      );
    await beginning(new Date());
    expect((await act(person.client)).status).toBe(201);
    await beginning(new Date(Date.now() - 901_000));
    expect(codeOf(await act(person.client))).toEqual(STALE);
  });

  it('is refused before anybody looks at its fields, after everything that is asked of the caller', async () => {
    const person = await stalePerson();
    const path = `${organization.path}/roles`;
    expect(codeOf(await person.client.post(path, { surprise: 1 }))).toEqual(STALE);
    const viewer = await aPerson(server, organization, { role: 'viewer' });
    await makeStale(server, viewer);
    expect(codeOf(await act(viewer.client))).toEqual([403, 'insufficient_scope']);
    const stranger = await aPerson(server, null);
    await makeStale(server, stranger);
    expect(codeOf(await act(stranger.client))).toEqual([404, 'not_found']);
  });

  it('that is refused is no bad credential: no address is held up for it', async () => {
    const { client } = await stalePerson();
    const headers = { 'x-forwarded-for': '192.0.2.77' };
    for (let count = 0; count < 65; count += 1) {
      expect(codeOf(await act(client, headers))).toEqual(STALE);
    }
  });

  it('that has begun goes on when the proof becomes too old', async () => {
    const person = await aPerson(server, organization);
    const rows = Array.from(
      { length: 600 },
      (_, one) => `p${one}-${person.id}@example.com,P,viewer`,
    );
    let wait = true;
    const { database } = server;
    const tenant = database.tenant.bind(database);
    jest.spyOn(database, 'tenant').mockImplementation(async (...parameters: any[]) => {
      if (wait) await makeStale(server, person);
      wait = false;
      return (tenant as any)(...parameters);
    });
    const file = `email,name,role\n${rows.join('\n')}\n`;
    const { last } = await importFrom(person.client, `${organization.path}/users/import`, file);
    expect(last).toMatchObject({ complete: true, totals: { created: 600 } });
    expect(codeOf(await act(person.client))).toEqual(STALE);
  });

  it('a retry with its Idempotency-Key gets the first answer once the proof is there', async () => {
    const person = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization);
    const create = (key: string) =>
      person.client.post(`${account.path}/keys`, { name: key }, { 'idempotency-key': key });
    const first = await create('first');
    expect(first.status).toBe(201);
    await makeStale(server, person);
    // It would show the token again.
    expect(codeOf(await create('first'))).toEqual(STALE);
    expect(codeOf(await create('second'))).toEqual(STALE);
    expect((await prove(person.client)).status).toBe(204);
    const [again, second] = [await create('first'), await create('second')];
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    // The refusal was none.
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });
});

describe('POST /v1/sessions/current/reauthenticate', () => {
  it('204: makes this session fresh, and no other; it shows when', async () => {
    const person = await stalePerson();
    const { body } = await server.client.post('/v1/sessions', {
      email: person.email,
      password: PASSWORD,
    });
    const other = server.client.withToken(body.token);
    const sessionId = (await other.get('/v1/me')).body.session.id;
    await makeStale(server, { sessionId });
    const before = (await person.client.get('/v1/me')).body.session.authenticatedAt;
    expect((await prove(person.client)).status).toBe(204);
    expect((await act(person.client)).status).toBe(201);
    expect(codeOf(await act(other))).toEqual(STALE);
    const { session } = (await person.client.get('/v1/me')).body;
    expect(Date.parse(session.authenticatedAt) - Date.parse(before)).toBeGreaterThan(900_000);
    const { data } = (await person.client.get('/v1/sessions')).body;
    const shown = data.find((one: { current: boolean }) => one.current);
    expect(shown.authenticatedAt).toBe(session.authenticatedAt);
  });

  it('204: neither lengthens the session nor shows anything', async () => {
    const person = await stalePerson();
    const before = (await person.client.get('/v1/me')).body.session;
    const answer = await prove(person.client);
    expect([answer.body, answer.headers.get('set-cookie')]).toEqual([undefined, null]);
    expect((await person.client.get('/v1/me')).body.session.expiresAt).toBe(before.expiresAt);
  });

  it('204: is on the chain system under the person’s name', async () => {
    const person = await stalePerson();
    const answer = await prove(person.client);
    expect(await changesOf(server, answer)).toMatchObject([
      {
        action: 'session.reauthenticated',
        outcome: 'success',
        organizationId: null,
        actor: { type: 'user', id: person.id, name: person.name },
        targets: [{ type: 'session', id: person.sessionId, name: person.name }],
      },
    ]);
  });

  it('204: for the session of a cookie too', async () => {
    const person = await aPerson(server, organization);
    const { ask, cookieOf, me } = browserOf(
      () => server,
      () => person,
    );
    const headers = { ...HERE, cookie: await cookieOf() };
    const { body } = await me(headers);
    await makeStale(server, { sessionId: body.session.id });
    const create = () =>
      ask('POST', `${organization.path}/roles`, headers, { ...CALLED, key: 'by-cookie' });
    const refused = await create();
    expect(codeOf(refused)).toEqual(STALE);
    expect(refused.headers.get('set-cookie')).toBeNull();
    const path = '/v1/sessions/current/reauthenticate';
    expect((await ask('POST', path, headers, { password: PASSWORD })).status).toBe(204);
    expect((await create()).status).toBe(201);
  });

  it('403: a wrong password is named as a field, and on the trail; the session stays as it was', async () => {
    const person = await stalePerson();
    const answer = await prove(person.client, WRONG);
    expect(answer.body.code).toBe('wrong_password');
    expect(errorsOf(answer)).toEqual([403, [['/password', 'wrong_password']]]);
    expect(await changesOf(server, answer)).toEqual([]);
    const { event, body } = await eventOf(answer);
    expect(event).toMatchObject({
      actor: { type: 'user', id: person.id, name: person.name },
      outcome: 'denied',
      reason: 'wrong_password',
    });
    expect(body).not.toContain(WRONG);
    expect(codeOf(await act(person.client))).toEqual(STALE);
    expect((await person.client.get('/v1/me')).status).toBe(200);
  });

  it('403: whoever has no password cannot prove one; service accounts are no people', async () => {
    const person = await stalePerson();
    const account = await aServiceAccount(server, organization, { role: 'owner' });
    expect(codeOf(await prove(account.client))).toEqual([403, 'people_only']);
    await server.database.system((tx) =>
      tx.user.update({ where: { id: person.id }, data: { passwordHash: null } }),
    );
    expect(codeOf(await prove(person.client))).toEqual([403, 'wrong_password']);
  });

  it('429: guesses of a stolen session wait as those of logins do, and count together', async () => {
    const { email, client } = await stalePerson();
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const login = (password: string) =>
      server.client.post('/v1/sessions', { email, password }, headers);
    await login(WRONG);
    for (let count = 0; count < 4; count += 1) {
      expect(codeOf(await prove(client, WRONG, headers))).toEqual([403, 'wrong_password']);
    }
    const verify = jest.spyOn(server.app.get(PasswordHasher), 'verify');
    const refused = await prove(client, PASSWORD, headers);
    expect(codeOf(refused)).toEqual([429, 'too_many_login_attempts']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(verify).not.toHaveBeenCalled();
    expect((await login(PASSWORD)).status).toBe(429);
    expect((await act(client)).status).toBe(401);
    // From elsewhere the person goes on, and a success begins anew there.
    const elsewhere = { 'x-forwarded-for': '192.0.2.2' };
    for (let count = 0; count < 8; count += 1) {
      if (count === 4) expect((await prove(client, PASSWORD, elsewhere)).status).toBe(204);
      else expect((await prove(client, WRONG, elsewhere)).status).toBe(403);
    }
  });

  it('a session or a password that has ended while it was checked is not made fresh', async () => {
    const hasher = server.app.get(PasswordHasher);
    const during = (work: () => Promise<unknown>) =>
      jest.spyOn(hasher, 'verify').mockImplementationOnce(async () => {
        await work();
        return true;
      });
    const ended = await stalePerson();
    during(() => ended.client.delete('/v1/sessions/current'));
    expect(codeOf(await prove(ended.client))).toEqual([401, 'invalid_token']);
    const changed = await stalePerson();
    during(() =>
      server.database.system((tx) =>
        tx.user.update({ where: { id: changed.id }, data: { passwordHash: 'another' } }),
      ),
    );
    expect(codeOf(await prove(changed.client))).toEqual([403, 'wrong_password']);
    expect(codeOf(await act(changed.client))).toEqual(STALE);
    const rows = await server.database.system((tx) =>
      tx.auditEvent.count({
        where: { action: 'session.reauthenticated', actorId: { in: [ended.id, changed.id] } },
      }),
    );
    expect(rows).toBe(0);
  });
});
