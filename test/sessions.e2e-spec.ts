import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../src/crypto/id.js';
import { anOrganization, aPerson, aServiceAccount, type TestPerson } from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { asSeen } from './same-answer.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
});
afterAll(() => server.close());

const login = ({ email, password }: Pick<TestPerson, 'email' | 'password'>) =>
  server.client.post('/v1/sessions', { email, password });
const tokenOf = async (person: TestPerson) =>
  server.client.withToken((await login(person)).body.token);
const inSession = (id: string, data: object) =>
  server.database.system((tx) => tx.session.update({ where: { id }, data }));

describe('POST /v1/sessions', () => {
  it('201: answers a token that works, for 12 hours by the database’s clock', async () => {
    const organization = await anOrganization(server);
    const person = await aPerson(server, organization, { role: 'auditor' });
    const { status, body, headers } = await login(person);
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^clvs_[0-9a-z]{26}_[0-9A-Za-z]{49}$/),
      expiresAt: expect.stringMatching(/Z$/),
      user: {
        id: person.id,
        email: person.email,
        name: person.name,
        instanceAdministrator: false,
      },
      organizations: [
        {
          id: organization.id,
          name: organization.name,
          status: 'active',
          role: { key: 'auditor', name: 'Auditor' },
          permissions: expect.arrayContaining(['audit:read', 'keys:rotate-own']),
        },
      ],
    });
    expect([...body.organizations[0].permissions].sort()).toEqual(
      body.organizations[0].permissions,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    const me = await server.client.withToken(body.token).get('/v1/me');
    expect(me.body.id).toBe(person.id);
    const row = await server.database.system((tx) =>
      tx.session.findUniqueOrThrow({ where: { id: me.body.session.id }, include: { user: true } }),
    );
    expect(row.expiresAt.getTime() - row.createdAt.getTime()).toBe(12 * 3_600_000);
    expect(row.user.lastLoginAt).toEqual(row.createdAt);
    expect(
      Buffer.from(row.tokenHash).equals(server.instance.pepper.hash('session', body.token)),
    ).toBe(true);
  });

  it('201: takes the e-mail in any case', async () => {
    const person = await aPerson(server, null);
    const answer = await login({ ...person, email: person.email.toUpperCase() });
    expect(answer.status).toBe(201);
  });

  it('201: is recorded on the chain system by the person’s name', async () => {
    const person = await aPerson(server, await anOrganization(server));
    const answer = await login(person);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ chain, action }) => [chain, action])).toEqual([
      ['system', 'session.created'],
      ['system', 'http.request'],
    ]);
    expect(events[0]?.event.actor).toEqual({ type: 'user', id: person.id, name: person.name });
    expect(events[0]?.body).not.toContain(answer.body.token);
  });

  it('401: the same answer for an unknown person, a wrong password and no password', async () => {
    const person = await aPerson(server, null);
    const without = await aPerson(server, null);
    await server.database.system((tx) =>
      tx.user.update({ where: { id: without.id }, data: { passwordHash: null } }),
    );
    const answers = [
      await login({ email: 'nobody@example.com', password: person.password }),
      await login({ ...person, password: `${person.password}!` }),
      await login(without),
    ];
    const seen = answers.map(asSeen);
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'invalid_login' } });
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  it('401: records nothing but the request', async () => {
    const person = await aPerson(server, null);
    const answer = await login({ ...person, password: 'not this one at all' });
    const requestId = answer.headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    expect(events.map(({ event }) => [event.action, event.status, event.reason])).toEqual([
      ['http.request', 401, 'invalid_login'],
    ]);
    expect(events[0]?.body).not.toContain('not this one');
  });

  it('401: a person whom their only organization has disabled; 201 with another one', async () => {
    const person = await aPerson(server, await anOrganization(server), { status: 'disabled' });
    expect((await login(person)).status).toBe(401);
    const other = await anOrganization(server);
    await server.database.system((tx) =>
      tx.membership.create({
        data: {
          organizationId: other.id,
          userId: person.id,
          roleKey: 'viewer',
          createdByType: 'system',
          createdByName: 'Claviger',
        },
      }),
    );
    const answer = await login(person);
    expect(answer.status).toBe(201);
    expect(answer.body.organizations.map((one: { id: string }) => one.id)).toEqual([other.id]);
  });

  it('400: names what is missing or unknown', async () => {
    const answer = await server.client.post('/v1/sessions', {
      email: 'a@example.com',
      remember: 1,
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/password',
      '/remember',
    ]);
  });

  it('503: of 200 logins at once those beyond the queue are refused, and nothing else breaks', async () => {
    const { email, password } = await aPerson(server, null);
    // Each from an address of its own: several of one would have to wait for each other.
    const loginAt = (number: number) =>
      server.client.post(
        '/v1/sessions',
        { email, password },
        { 'x-forwarded-for': `192.0.2.${number}` },
      );
    const answers = await Promise.all(Array.from({ length: 200 }, (_, number) => loginAt(number)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([201, 503]);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(18);
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.headers.get('retry-after')).toMatch(/^\d+$/);
  });
});

describe('GET /v1/sessions', () => {
  it('200: shows the caller’s own living sessions, newest first, and which is this one', async () => {
    const person = await aPerson(server, null);
    await aPerson(server, null);
    const second = await tokenOf(person);
    const { body } = await second.get('/v1/sessions');
    expect(body.data).toHaveLength(2);
    expect(body.data[0]).toMatchObject({ current: true, ip: '127.0.0.1' });
    expect(body.data[1]).toMatchObject({ id: person.sessionId, current: false });
    expect(Object.keys(body.data[0]).sort()).toEqual([
      'authenticatedAt',
      'createdAt',
      'current',
      'expiresAt',
      'id',
      'ip',
      'lastSeenAt',
      'userAgent',
    ]);
    await inSession(person.sessionId, { lastSeenAt: new Date(Date.now() - 31 * 60_000) });
    expect((await second.get('/v1/sessions')).body.data).toHaveLength(1);
  });

  it('200: comes in pages', async () => {
    const person = await aPerson(server, null);
    await login(person);
    const first = await person.client.get('/v1/sessions?limit=1');
    const { after } = first.body.paging.next;
    const second = await person.client.get(`/v1/sessions?limit=1&after=${after}`);
    expect(second.body.data.map((one: { id: string }) => one.id)).toEqual([person.sessionId]);
    expect(second.body.paging).toEqual({});
  });

  it('403: service accounts have no sessions', async () => {
    const account = await aServiceAccount(server, await anOrganization(server), { role: 'owner' });
    const answer = await account.client.get('/v1/sessions');
    expect([answer.status, answer.body.code]).toEqual([403, 'people_only']);
  });
});

describe('DELETE /v1/sessions/{sessionId}', () => {
  it('204: the session is refused from the next request on', async () => {
    const person = await aPerson(server, null);
    expect((await person.client.delete('/v1/sessions/current')).status).toBe(204);
    expect((await person.client.get('/v1/me')).status).toBe(401);
    const events = await eventsOf(server, { chain: 'system', action: 'session.ended' });
    expect(events.at(-1)?.event).toMatchObject({
      actor: { id: person.id },
      targets: [{ type: 'session', id: person.sessionId }],
    });
  });

  it('204: ends another of the caller’s sessions, once on the trail', async () => {
    const person = await aPerson(server, null);
    const second = await tokenOf(person);
    expect((await second.delete(`/v1/sessions/${person.sessionId}`)).status).toBe(204);
    expect((await second.delete(`/v1/sessions/${person.sessionId}`)).status).toBe(204);
    expect((await person.client.get('/v1/me')).status).toBe(401);
    expect((await second.get('/v1/me')).status).toBe(200);
    const ended = (await eventsOf(server, { chain: 'system', action: 'session.ended' })).filter(
      ({ targetId }) => targetId === person.sessionId,
    );
    expect(ended).toHaveLength(1);
  });

  it('404: somebody else’s session is answered as one that does not exist, and lives on', async () => {
    const person = await aPerson(server, null);
    const other = await aPerson(server, null);
    const theirs = await person.client.delete(`/v1/sessions/${other.sessionId}`);
    const unknown = await person.client.delete(`/v1/sessions/${newId('ses')}`);
    expect([theirs.status, unknown.status]).toEqual([404, 404]);
    expect(theirs.body.detail).toBe(unknown.body.detail);
    expect((await other.client.get('/v1/me')).status).toBe(200);
  });
});

describe('a session', () => {
  it('401: after 12 hours, and after 30 minutes without use', async () => {
    const expired = await aPerson(server, null);
    await inSession(expired.sessionId, { expiresAt: new Date(Date.now() - 1_000) });
    expect((await expired.client.get('/v1/me')).status).toBe(401);
    const idle = await aPerson(server, null);
    await inSession(idle.sessionId, { lastSeenAt: new Date(Date.now() - 30 * 60_000 - 1_000) });
    expect((await idle.client.get('/v1/me')).status).toBe(401);
    const events = await eventsOf(server, { chain: 'system', action: 'http.request' });
    expect(events.slice(-2).map(({ event }) => event.reason)).toEqual([
      'session_expired',
      'session_idle',
    ]);
  });

  it('200: with its case-insensitive scheme; 401 for the token of a set-up', async () => {
    const person = await aPerson(server, null);
    const headers = { authorization: `bEARER ${person.token}` };
    expect((await server.client.get('/v1/me', headers)).status).toBe(200);
    const once = server.client.withToken(person.token.replace('clvs_', 'clvi_'));
    expect((await once.get('/v1/me')).status).toBe(401);
  });
});
