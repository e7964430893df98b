import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { uint32ToBase62 } from '../src/crypto/base62.js';
import { parseToken } from '../src/crypto/token.js';
import { remember } from './canary.js';
import { browserOf, FOREIGN, type Headers, HERE, jarOf } from './cookies.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { type Answer, startServer, type TestServer } from './harness.js';
import { postForm } from './oauth.js';

let server: TestServer;
let organization: TestOrganization;
let person: TestPerson;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  person = await aPerson(server, organization);
});
afterAll(() => server.close());

const { ask, login, cookieOf, me, eventOf } = browserOf(
  () => server,
  () => person,
);
const holding = (token: string) => ({ ...HERE, cookie: `claviger=${token}` });
const change = (headers: Headers) => ask('PATCH', '/v1/me', headers, { name: 'Changed' });
const nameOf = ({ id }: { id: string }) =>
  server.database.system(async (tx) => (await tx.user.findUniqueOrThrow({ where: { id } })).name);

/** What a token begins with, made whole: anybody can compute the checksum. */
const withChecksum = (text: string) => `${text}${uint32ToBase62(crc32(text), 6)}`;

const CLEARED = 'claviger=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict';

describe('a cookie as a credential', () => {
  it('is on the trail exactly as the bearer token of a session', async () => {
    const cookie = await cookieOf();
    const path = `${organization.path}/roles`;
    const byCookie = await ask('GET', path, { ...HERE, cookie, 'x-forwarded-for': '' });
    const byBearer = await person.client.get(path);
    const seen = async (answer: Answer) => {
      const { chain, event } = await eventOf(answer);
      return { chain, ...event, requestId: '', occurredAt: '', sequence: 0 };
    };
    expect(byCookie.body).toEqual(byBearer.body);
    expect(await seen(byCookie)).toEqual(await seen(byBearer));
    const { body } = await person.client.get(`${organization.path}/audit-events/verify`);
    expect(body.valid).toBe(true);
  });

  it('changes things, and a retry with its Idempotency-Key gets the first answer', async () => {
    const cookie = await cookieOf();
    const headers = { ...HERE, cookie, 'idempotency-key': 'once' };
    const create = () =>
      ask('POST', `${organization.path}/service-accounts`, headers, {
        name: 'By cookie',
        role: 'viewer',
      });
    const [first, retry] = [await create(), await create()];
    expect([first.status, retry.status]).toEqual([201, 201]);
    expect(retry.headers.get('idempotency-replayed')).toBe('true');
    expect(retry.body).toEqual(first.body);
  });

  it('names the caller where no guard runs', async () => {
    const cookie = await cookieOf();
    const answer = await ask('GET', '/v1/nothing', { ...HERE, cookie });
    expect(answer.status).toBe(404);
    expect((await eventOf(answer)).actorId).toBe(person.id);
  });

  it('is for sessions that were opened for one', async () => {
    const account = await aServiceAccount(server, organization);
    const form = { grant_type: 'client_credentials' };
    const issued = await postForm(account.client, '/oauth/token', form);
    expect(issued.status).toBe(200);
    for (const token of [account.token, issued.body.access_token, person.token]) {
      expect((await server.client.withToken(token).get('/v1/me')).status).toBe(200);
      const answer = await me(holding(token));
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
      const { event } = await eventOf(answer);
      expect([event.actor.type, event.reason]).toEqual(['anonymous', 'malformed']);
    }
  });

  it('is no bearer token, whatever its prefix is made to say', async () => {
    const cookie = await cookieOf();
    const value = cookie.slice('claviger='.length);
    const { tokenPrefix } = server.instance;
    expect(value).toMatch(/^clvc_/);
    const asSession = withChecksum(value.slice(0, -6).replace('clvc_', 'clvs_'));
    expect(parseToken(tokenPrefix, asSession)?.family).toBe('session');
    for (const token of [value, asSession]) {
      remember(token);
      const bearer = server.client.withToken(token);
      const answer = await bearer.get('/v1/me');
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
      const accept = await bearer.post('/v1/invitations/accept', { token: 'x' });
      expect(accept.status).toBe(401);
    }
    const asCookie = withChecksum(person.token.slice(0, -6).replace('clvs_', 'clvc_'));
    remember(asCookie);
    expect(parseToken(tokenPrefix, asCookie)?.family).toBe('cookie');
    expect((await me(holding(asCookie))).status).toBe(401);
    const reader = await aServiceAccount(server, organization, { role: 'verifier' });
    const asked = await postForm(reader.client, '/oauth/introspect', { token: value });
    expect(asked.body).toEqual({ active: false });
    expect((await me({ ...HERE, cookie })).body.id).toBe(person.id);
  });

  it('401, never 500: garbage, or two of its name', async () => {
    const cookie = await cookieOf();
    for (const sent of [
      `${cookie}; ${cookie}`,
      `claviger=x; ${cookie}`,
      'claviger=',
      'claviger=%00%ff%E0%A4%A',
      `claviger="${person.token}"`,
      `claviger=${person.token.slice(0, -1)}!`,
      `claviger=${'x'.repeat(8_000)}`,
      `claviger=\u00e9\u00ff`,
      'claviger=__proto__; __proto__=1',
    ]) {
      const answer = await me({ ...HERE, cookie: sent });
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
      expect((await eventOf(answer)).event.reason).toBe('malformed');
    }
  });

  it('is used for nobody where there are two, and the one that is not ours is taken back', async () => {
    const cookie = await cookieOf();
    const theirs = await cookieOf(await aPerson(server, null));
    const path = `${organization.path}/roles`;
    const answer = await ask('GET', `${path}?limit=1`, { ...HERE, cookie: `${theirs}; ${cookie}` });
    expect(answer.status).toBe(401);
    const places = answer.headers.getSetCookie().map((line) => {
      expect(line).toMatch(/^claviger=; Max-Age=0; Path=[^;]+; HttpOnly; SameSite=Strict$/);
      return /Path=([^;]+)/.exec(line)?.[1];
    });
    const { id } = organization;
    const segments = ['/v1', '/v1/organizations', `/v1/organizations/${id}`, path];
    expect(places).toEqual(segments.flatMap((one) => [one, `${one}/`]));
    // The one at the root is ours: it stays, and works.
    expect((await me({ ...HERE, cookie })).body.id).toBe(person.id);
    const entered = await login({ ...HERE, cookie: `${theirs}; ${cookie}` });
    expect(entered.status).toBe(201);
    const set = entered.headers.getSetCookie().filter((line) => line.includes('Path=/;'));
    expect(set).toEqual([expect.stringMatching(/^claviger=clvc_.*Max-Age=43200/)]);
  });

  it('two at a path that no cookie can have are refused like others', async () => {
    for (const path of ['/v1/;Domain=evil.example', '//v1//', `/v1/${'x'.repeat(2_000)}`]) {
      const answer = await ask('GET', path, { ...HERE, cookie: 'claviger=x; claviger=y' });
      expect(answer.status).toBe(404);
      for (const line of answer.headers.getSetCookie()) {
        expect(line).toMatch(/^claviger=; Max-Age=0; Path=\/[\w/]{1,1000}; HttpOnly;/);
      }
    }
  });

  it('is found among others, and others are none', async () => {
    const cookie = await cookieOf();
    const crowd = `a=1; __Host-claviger=x; Claviger=x; ${cookie}; xclaviger=2; claviger2=3; claviger`;
    expect((await me({ ...HERE, cookie: crowd })).body.id).toBe(person.id);
    const answer = await me({ ...HERE, cookie: 'a=1; __Host-claviger=x; Claviger=x' });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('does not count beside an Authorization header, whatever that is', async () => {
    const cookie = await cookieOf();
    const account = await aServiceAccount(server, organization);
    const beside = (authorization: string, more: Headers = HERE) =>
      me({ ...more, cookie, authorization });
    const bearer = await beside(`Bearer ${account.token}`, { origin: FOREIGN });
    expect([bearer.status, bearer.body.id]).toEqual([200, account.id]);
    expect((await beside(`Bearer ${person.token}`)).body.session.id).toBe(person.sessionId);
    for (const authorization of ['Bearer nonsense', 'Basic eDp5', 'Bearer', '']) {
      const answer = await beside(authorization);
      expect(answer.status).toBe(401);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    const dead = await me({
      ...HERE,
      cookie: 'claviger=x',
      authorization: `Bearer ${person.token}`,
    });
    expect(dead.status).toBe(200);
    const out = await ask('DELETE', '/v1/sessions/current', {
      ...HERE,
      cookie,
      authorization: `Bearer ${(await login({}, {})).body.token}`,
    });
    expect([out.status, out.headers.getSetCookie()]).toEqual([204, []]);
    expect((await me({ ...HERE, cookie })).status).toBe(200);
  });

  it('is none under /oauth', async () => {
    const cookie = await cookieOf();
    for (const path of ['/oauth/introspect', '/oauth/revoke', '/oauth/token', '/oauth/nothing']) {
      const answer = await postForm(server.client, path, { token: 'x' }, { ...HERE, cookie });
      expect([401, 404]).toContain(answer.status);
      expect(answer.headers.getSetCookie()).toEqual([]);
      const { event } = await eventOf(answer);
      expect([event.actor.type, event.reason]).toEqual([
        'anonymous',
        answer.status === 401 ? 'missing' : 'route_not_found',
      ]);
    }
  });

  it('is not for other origins: CORS answers no credentials', async () => {
    const allowing = await startServer({ corsOrigins: [FOREIGN] });
    try {
      const answer = await allowing.client.get('/v1/me', { origin: FOREIGN, cookie: 'claviger=x' });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBe(FOREIGN);
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    } finally {
      await allowing.close();
    }
  });
});

describe('a request with the cookie', () => {
  const own = () => server.url;
  const PUBLIC = 'http://localhost:3000';

  it.each<[string, string, () => Headers]>([
    ['GET', 'a page of this server', () => HERE],
    ['GET', 'the address bar', () => ({ 'sec-fetch-site': 'none' })],
    ['GET', 'an old browser, which says nothing', () => ({})],
    ['PATCH', 'a page of this server', () => HERE],
    ['PATCH', 'a page of this server, with its origin', () => ({ ...HERE, origin: own() })],
    ['PATCH', 'an old browser at PUBLIC_URL', () => ({ origin: PUBLIC })],
    ['PATCH', 'an old browser at the host', () => ({ origin: own() })],
  ])('%s from %s is answered', async (method, _, headers) => {
    const sent = { ...headers(), cookie: await cookieOf() };
    const answer = method === 'GET' ? await me(sent) : await change(sent);
    expect([answer.status, answer.body.id]).toEqual([200, person.id]);
  });

  it.each<[string, string, () => Headers]>([
    ['GET', 'another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['GET', 'a neighbour', () => ({ 'sec-fetch-site': 'same-site' })],
    ['GET', 'another origin', () => ({ origin: FOREIGN })],
    ['HEAD', 'another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['PATCH', 'another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['PATCH', 'a neighbour', () => ({ 'sec-fetch-site': 'same-site' })],
    [
      'PATCH',
      'a neighbour, whatever it says',
      () => ({ 'sec-fetch-site': 'same-site', origin: own() }),
    ],
    ['PATCH', 'no page at all', () => ({ 'sec-fetch-site': 'none' })],
    ['PATCH', 'another origin', () => ({ origin: FOREIGN })],
    ['PATCH', 'another origin, as it says', () => ({ ...HERE, origin: FOREIGN })],
    ['PATCH', 'an origin that is hidden', () => ({ origin: 'null' })],
    ['PATCH', 'another port', () => ({ origin: 'http://localhost:3001' })],
    ['PATCH', 'another scheme', () => ({ origin: PUBLIC.replace('http:', 'https:') })],
    ['PATCH', 'a name that begins alike', () => ({ origin: `${PUBLIC}.evil.example` })],
    ['PATCH', 'nobody knows where', () => ({})],
  ])('%s from %s is refused, and nothing changes', async (method, _, headers) => {
    const victim = await aPerson(server, organization);
    const sent = { ...headers(), cookie: await cookieOf(victim) };
    const answer = method === 'PATCH' ? await change(sent) : await ask(method, '/v1/me', sent);
    expect(answer.status).toBe(403);
    if (method !== 'HEAD') expect(answer.body.code).toBe('cross_site_request');
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await nameOf(victim)).toBe(victim.name);
    const { chain, event } = await eventOf(answer);
    expect([chain, event.outcome, event.reason, event.actor.type]).toEqual([
      'system',
      'denied',
      'cross_site_request',
      'anonymous',
    ]);
    expect((await me({ ...HERE, cookie: sent.cookie })).status).toBe(200);
  });

  it('cannot log out from elsewhere, nor with a form or plain text', async () => {
    const cookie = await cookieOf();
    const out = await ask('DELETE', '/v1/sessions/current', { origin: FOREIGN, cookie });
    expect([out.status, out.headers.getSetCookie()]).toEqual([403, []]);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const sent = { ...HERE, cookie, 'content-type': type };
      const answer = await ask('POST', '/v1/me/password', sent, '{"newPassword":"x"}');
      expect(answer.status).toBe(415);
    }
    expect((await me({ ...HERE, cookie })).status).toBe(200);
  });
});

describe('the end of a session', () => {
  const dead = async (cookie: string) => {
    await ask('DELETE', '/v1/sessions/current', { ...HERE, cookie });
    return cookie;
  };
  const sessionOf = async (cookie: string) =>
    (await me({ ...HERE, cookie })).body.session.id as string;

  it('takes the cookie back at the log-out, and only then', async () => {
    const cookie = await cookieOf();
    const other = await sessionOf(await cookieOf());
    const end = (id: string) => ask('DELETE', `/v1/sessions/${id}`, { ...HERE, cookie });
    const elsewhere = await end(other);
    expect([elsewhere.status, elsewhere.headers.getSetCookie()]).toEqual([204, []]);
    const out = await end('current');
    expect([out.status, out.headers.getSetCookie()]).toEqual([204, [CLEARED]]);
    const after = await me({ ...HERE, cookie });
    expect([after.status, after.body.code]).toEqual([401, 'invalid_token']);
    expect(after.headers.getSetCookie()).toEqual([]);
    expect((await eventOf(after)).event.reason).toBe('session_ended');
  });

  it('takes it back from whoever ends their session by its id', async () => {
    const cookie = await cookieOf();
    const path = `/v1/sessions/${await sessionOf(cookie)}`;
    const answer = await ask('DELETE', path, { ...HERE, cookie });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([204, [CLEARED]]);
  });

  it('takes it back from whoever locks themselves out', async () => {
    const leaver = await aPerson(server, organization);
    const cookie = await cookieOf(leaver);
    const path = `${organization.path}/users/${leaver.id}/disable`;
    const answer = await ask('POST', path, { ...HERE, cookie });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, [CLEARED]]);
  });

  it.each([
    ['12 hours', { expiresAt: new Date(Date.now() - 1_000) }, 'session_expired'],
    ['30 idle minutes', { lastSeenAt: new Date(Date.now() - 31 * 60_000) }, 'session_idle'],
  ])('is told by 401 after %s, which may not take a newer cookie', async (_, data, reason) => {
    const cookie = await cookieOf();
    const id = await sessionOf(cookie);
    await server.database.system((tx) => tx.session.update({ where: { id }, data }));
    const answer = await me({ ...HERE, cookie });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
    expect((await eventOf(answer)).event.reason).toBe(reason);
    // The one at hand is no obstacle to the next login, which replaces it.
    const again = await login({ ...HERE, cookie });
    expect(again.status).toBe(201);
    expect((await me({ ...HERE, cookie: jarOf(again) })).body.id).toBe(person.id);
  });

  it.each([
    ['a dead one', async () => dead(await cookieOf())],
    ['garbage', () => Promise.resolve('claviger=x')],
    ['a key', async () => `claviger=${(await aServiceAccount(server, organization)).token}`],
    ['an empty one', () => Promise.resolve('claviger=')],
    ['two, one of them good', async () => `claviger=x; ${await cookieOf()}`],
  ])('leaves nobody without a login: %s beside it', async (_, cookie) => {
    const answer = await login({ ...HERE, cookie: await cookie() });
    expect(answer.status).toBe(201);
    expect(jarOf(answer)).toMatch(/^claviger=clvc_/);
    expect((await eventOf(answer)).event.reason).toBeNull();
  });
});
