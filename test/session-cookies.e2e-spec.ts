import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { createToken } from '../src/crypto/token.js';
import { prepareFirstStart } from '../src/setup/first-start.js';
import { remember } from './canary.js';
import { browserOf, FOREIGN, type Headers, HERE, jarOf } from './cookies.js';
import {
  anOrganization,
  aPerson,
  PASSWORD,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { startServer, type TestServer } from './harness.js';

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
/** Of a session that is over. */
const overCookie = async () => {
  const cookie = await cookieOf();
  await ask('DELETE', '/v1/sessions/current', { ...HERE, cookie });
  return cookie;
};

/** The value of a cookie for this person, as a server where it is allowed would have made it. */
async function aCookieToken(one: TestServer, { sessionId }: TestPerson): Promise<string> {
  const token = createToken(one.instance.tokenPrefix, 'cookie', sessionId);
  remember(token);
  const tokenHash = new Uint8Array(one.instance.pepper.hash('cookie', token));
  await one.database.system((tx) =>
    tx.session.update({ where: { id: sessionId }, data: { tokenHash } }),
  );
  return token;
}

describe('POST /v1/sessions with a cookie', () => {
  it('201: sets the cookie for 12 hours and shows no token', async () => {
    const answer = await login();
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.body).sort()).toEqual(['expiresAt', 'organizations', 'user']);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^claviger=clvc_[0-9a-z]{26}_[0-9A-Za-z]{49}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    const found = await me({ ...HERE, cookie: jarOf(answer) });
    expect(found.body).toMatchObject({
      kind: 'user',
      id: person.id,
      session: { expiresAt: answer.body.expiresAt },
    });
  });

  it('201: without one answers the token and sets nothing', async () => {
    for (const changes of [{}, { cookie: false }]) {
      const answer = await login({}, changes);
      expect(answer.body.token).toMatch(/^clvs_/);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it('400: takes nothing but true or false', async () => {
    const answer = await login(HERE, { cookie: 'true' });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/cookie']);
  });

  it('401: sets nothing for a wrong password', async () => {
    const answer = await login(HERE, { cookie: true, password: 'not this one at all' });
    expect(answer.status).toBe(401);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it.each<[string, Headers]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another origin', { origin: FOREIGN }],
    ['nobody knows where', {}],
  ])('403: opens no session for a request from %s', async (_, headers) => {
    const count = () =>
      server.database.system((tx) => tx.session.count({ where: { userId: person.id } }));
    const before = await count();
    const answer = await login(headers);
    expect([answer.status, answer.body.code]).toEqual([403, 'cross_site_request']);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await count()).toBe(before);
    const { chain, event } = await eventOf(answer);
    expect([chain, event.outcome, event.reason]).toEqual([
      'system',
      'denied',
      'cross_site_request',
    ]);
  });

  it('415: is not to be had with a form or plain text', async () => {
    const body = JSON.stringify({ email: person.email, password: PASSWORD, cookie: true });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await ask('POST', '/v1/sessions', { ...HERE, 'content-type': type }, body);
      expect(answer.status).toBe(415);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it('503: sets nothing when the answer may not leave', async () => {
    const alter = (change: string) =>
      server.database.system((tx) => tx.$executeRawUnsafe(`ALTER TABLE audit_events ${change}`));
    // The session itself is opened and recorded; only the event of the answer cannot be written.
    await alter(`ADD CONSTRAINT away CHECK (action <> 'http.request') NOT VALID`);
    try {
      const answer = await login();
      expect([answer.status, answer.body.code]).toEqual([503, 'audit_unavailable']);
      expect(answer.headers.getSetCookie()).toEqual([]);
    } finally {
      await alter('DROP CONSTRAINT away');
    }
  });
});

describe('other ways to be logged in', () => {
  const invited = async (email: string) => {
    const path = `${organization.path}/invitations`;
    const { body } = await person.client.post(path, { email, role: 'viewer', name: 'Grace' });
    const token: string = body.link.split('#token=')[1];
    remember(token);
    return token;
  };
  const accept = (headers: Headers, body: object) =>
    ask('POST', '/v1/invitations/accept', headers, body);

  it('sets the cookie for an accepted invitation, and needs none of a session that accepts', async () => {
    const first = { token: await invited('cookie@example.com'), password: PASSWORD, cookie: true };
    expect((await accept({ origin: FOREIGN }, first)).body.code).toBe('cross_site_request');
    const accepted = await accept(HERE, first);
    expect(accepted.status).toBe(200);
    expect(accepted.body).not.toHaveProperty('token');
    const cookie = jarOf(accepted);
    expect((await me({ ...HERE, cookie })).body.email).toBe('cookie@example.com');

    const stranger = await aPerson(server, null);
    const session = await cookieOf(stranger);
    const further = { token: await invited(stranger.email) };
    const foreign = await accept({ origin: FOREIGN, cookie: session }, further);
    expect([foreign.status, foreign.body.code]).toEqual([401, 'login_required']);
    expect((await eventOf(foreign)).event.actor.type).toBe('anonymous');
    const joined = await accept({ ...HERE, cookie: session }, further);
    expect(joined.status).toBe(200);
    expect(joined.body.organizations[0].id).toBe(organization.id);
    expect(joined.headers.getSetCookie()).toEqual([]);
  });

  let newcomers = 0;
  it.each<[string, () => Promise<Headers>]>([
    ['that is over', async () => ({ ...HERE, cookie: await overCookie() })],
    ['that is garbage', () => Promise.resolve({ ...HERE, cookie: 'claviger=x' })],
    ['twice', async () => ({ ...HERE, cookie: `${await cookieOf()}; claviger=x` })],
    [
      'of somebody who reads a page of another site',
      async () => ({ origin: FOREIGN, cookie: await cookieOf() }),
    ],
  ])('lets a newcomer accept with a first password beside a cookie %s', async (_, headers) => {
    const sent = await headers();
    const email = `newcomer${(newcomers += 1)}@example.com`;
    const input = { token: await invited(email), password: PASSWORD };
    // What is wrong with the token is told as to anybody: nothing counts as a bad credential.
    const wrong = await accept(sent, { ...input, token: 'x' });
    expect([wrong.status, wrong.body.code]).toEqual([404, 'not_found']);
    const accepted = await accept(sent, input);
    expect([accepted.status, accepted.body.user?.email]).toEqual([200, email]);
    for (const answer of [wrong, accepted]) {
      const { chain, event } = await eventOf(answer);
      expect([chain, event.actor.type]).toEqual(['system', 'anonymous']);
    }
  });

  it('accepts with no dead cookie in the place of a session, and never with a bad Authorization', async () => {
    const stranger = await aPerson(server, null);
    const further = { token: await invited(stranger.email) };
    const dead = await accept({ ...HERE, cookie: await overCookie() }, further);
    expect([dead.status, dead.body.code]).toEqual([401, 'login_required']);
    const first = { token: await invited('meant@example.com'), password: PASSWORD };
    for (const authorization of ['Bearer x', 'Basic eDp5']) {
      expect((await accept({ ...HERE, authorization }, first)).status).toBe(401);
    }
    expect((await accept(HERE, first)).status).toBe(200);
  });

  it('counts no dead cookie at a public route towards a flood', async () => {
    const headers = { ...HERE, cookie: await overCookie(), 'x-forwarded-for': '198.51.100.7' };
    const answers = Array.from({ length: 70 }, () => accept(headers, { token: 'x' }));
    for (const { status } of await Promise.all(answers)) expect(status).toBe(404);
  });

  it('ends the session that changes its password, and takes its cookie', async () => {
    const ada = await aPerson(server, null);
    const cookie = await cookieOf(ada);
    const other = await cookieOf(ada);
    const passwords = { currentPassword: PASSWORD, newPassword: `${PASSWORD} indeed` };
    const answer = await ask('POST', '/v1/me/password', { ...HERE, cookie }, passwords);
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')]);
    expect((await me({ ...HERE, cookie })).status).toBe(401);
    expect((await me({ ...HERE, cookie: other })).status).toBe(401);
  });
});

/** As a browser that shows another address of the server; `fetch` does not let its callers name the host. */
async function askAt(one: TestServer, host: string, path: string, headers: Headers, body?: object) {
  const { port } = new URL(one.url);
  const method = body === undefined ? 'GET' : 'POST';
  const sent = request({
    port,
    host: '127.0.0.1',
    path,
    method,
    headers: { ...headers, host, 'content-type': 'application/json' },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode,
    cookies: answer.headers['set-cookie'] ?? [],
    body: (await json(answer)) as { code?: string; detail?: string },
  };
}

describe('over plain HTTP', () => {
  const WARNING = /PUBLIC_URL is plain HTTP and not localhost/;
  const sessionsOf = (one: TestServer, userId: string) =>
    one.database.system((tx) => tx.session.count({ where: { userId } }));

  it.each(['http://192.0.2.5:3000', 'http://keys.example.com', 'http://localhost.example.com'])(
    '403: there is no cookie at %s, and the log says so',
    async (publicUrl) => {
      const open = await startServer({ publicUrl });
      try {
        expect(open.logs().match(new RegExp(WARNING, 'g'))).toHaveLength(1);
        const somebody = await aPerson(open, null);
        const credentials = { email: somebody.email, password: PASSWORD };
        const { host } = new URL(publicUrl);
        const asked: Headers[] = [HERE, { ...HERE, host }, { origin: publicUrl, host }];
        for (const headers of asked) {
          const answer = await askAt(open, headers.host ?? 'localhost', '/v1/sessions', headers, {
            ...credentials,
            cookie: true,
          });
          expect([answer.status, answer.body.code]).toEqual([403, 'cookie_needs_https']);
          expect(answer.body.detail).toContain('set PUBLIC_URL');
          expect(answer.cookies).toEqual([]);
        }
        expect(await sessionsOf(open, somebody.id)).toBe(1);
        // Nor is one taken that was made where it was allowed.
        const cookie = `claviger=${await aCookieToken(open, somebody)}`;
        const found = await askAt(open, host, '/v1/me', { ...HERE, cookie });
        expect([found.status, found.body.code]).toEqual([401, 'unauthorized']);
        const bearer = await open.client.post('/v1/sessions', credentials);
        expect(bearer.status).toBe(201);
        remember(bearer.body.token);
      } finally {
        await open.close();
      }
    },
  );

  it.each(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://keys.localhost:3000'])(
    '201: there is one at %s, but under no other name than that of this machine',
    async (publicUrl) => {
      const local = await startServer({ publicUrl });
      try {
        expect(local.logs()).not.toMatch(WARNING);
        const somebody = await aPerson(local, null);
        const input = { email: somebody.email, password: PASSWORD, cookie: true };
        const ask = (host: string) => askAt(local, host, '/v1/sessions', HERE, input);
        for (const host of ['192.0.2.5:3000', 'server', 'localhost.example.com']) {
          expect((await ask(host)).body.code).toBe('cookie_needs_https');
        }
        for (const host of [new URL(publicUrl).host, 'localhost:4000', '127.0.0.1', '[::1]:3000']) {
          const answer = await ask(host);
          expect(answer.status).toBe(201);
          const cookie = answer.cookies[0]?.split(';')[0] ?? '';
          const at = (one: string) => askAt(local, one, '/v1/me', { ...HERE, cookie });
          expect((await at(host)).status).toBe(200);
          expect((await at('192.0.2.5:3000')).body.code).toBe('unauthorized');
        }
      } finally {
        await local.close();
      }
    },
  );
});

describe('behind https', () => {
  let https: TestServer;
  beforeAll(async () => {
    https = await startServer({ publicUrl: 'https://claviger.example.com' });
  });
  afterAll(() => https.close());

  it('the cookie of the set-up is Secure and has the prefix __Host-', async () => {
    const { setupLink = '' } = await prepareFirstStart(https.app);
    const token = setupLink.split('#token=')[1]!;
    remember(token);
    const input = {
      token,
      email: 'ada@example.com',
      password: PASSWORD,
      name: 'Ada',
      organizationName: 'Acme',
      cookie: true,
    };
    const setUp = (origin: string) => https.client.post('/v1/setup', input, { origin });
    expect((await setUp(https.url)).body.code).toBe('cross_site_request');
    expect((await setUp('http://claviger.example.com')).status).toBe(403);
    const answer = await setUp('https://claviger.example.com');
    expect(answer.status).toBe(201);
    expect(answer.body).not.toHaveProperty('token');
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-claviger=clvc_\w+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      ),
    ]);
    const cookie = jarOf(answer);
    expect((await https.client.get('/v1/me', { ...HERE, cookie })).status).toBe(200);
    const plain = cookie.replace('__Host-', '');
    expect((await https.client.get('/v1/me', { ...HERE, cookie: plain })).body.code).toBe(
      'unauthorized',
    );
  });
});
