import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { connect } from 'node:net';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { remember } from './canary.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import { asSeen } from './same-answer.js';
import { FORM } from './oauth.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';
import { from } from './strangers.js';

let server: TestServer;
let organization: TestOrganization;
let account: TestServiceAccount;
let spies: {
  raw: jest.SpiedFunction<TestServer['database']['raw']>;
  hash: jest.SpiedFunction<TestServer['instance']['pepper']['hash']>;
  match: jest.SpiedFunction<TestServer['instance']['pepper']['match']>;
};

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  account = await aServiceAccount(server, organization);
});
afterAll(() => server.close());

beforeEach(() => {
  const { pepper } = server.instance;
  spies = {
    raw: jest.spyOn(server.database, 'raw'),
    hash: jest.spyOn(pepper, 'hash'),
    match: jest.spyOn(pepper, 'match'),
  };
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** What was asked of the database by the credential check, and how often a token was hashed and compared, since the test began. */
function work() {
  const { raw: statements, hash, match } = spies;
  return {
    // Others, in the background, have nothing to do with any request.
    statements: statements.mock.calls
      .map(([{ name }]) => name)
      .filter((name) => /^(?:credential|session|verification)_/.test(name)),
    hashes: hash.mock.calls.length,
    comparisons: match.mock.calls.length,
  };
}

const forgetWork = () => Object.values(spies).forEach((spy) => spy.mockClear());

/** Looking into the cache takes one hash; nothing else has been done. */
function expectNoLookUp() {
  const { statements, comparisons } = work();
  expect([statements, comparisons]).toEqual([[], 0]);
}

function aToken(kind: 'key' | 'invitation', id: string): string {
  const token = createToken(server.instance.tokenPrefix, kind, id);
  remember(token);
  return token;
}

const asBearer = (token: string, headers = from()) =>
  server.client.withToken(token).get('/v1/me', headers);

async function eventOf(answer: Answer) {
  const requestId = answer.headers.get('x-request-id')!;
  const events = await eventsOf(server, { requestId });
  expect(events).toHaveLength(1);
  return events[0]!;
}

/** Sends bytes as they are; status and whole answer. */
function raw(lines: string[], body = ''): Promise<{ status: number; text: string; id: string }> {
  return new Promise((resolve, reject) => {
    const head = [...lines, 'Host: a', 'Connection: close', `X-Forwarded-For: 192.0.2.1`];
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'),
    );
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const id = /x-request-id: (\S+)/i.exec(text)?.[1] ?? '';
      resolve({ status: Number(text.split(' ')[1]), text, id });
    });
  });
}

describe('without a credential', () => {
  it('is 401 with a challenge that names no error, and nothing is looked up', async () => {
    const answer = await server.client.get('/v1/me', from());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="claviger"');
    expectNoLookUp();
    expect((await eventOf(answer)).event).toMatchObject({ status: 401, reason: 'missing' });
  });
});

describe('a token that this server cannot have made', () => {
  const wrong: [string, () => string][] = [
    ['nonsense', () => 'nonsense'],
    [
      'another checksum',
      () => `${account.token.slice(0, -1)}${account.token.endsWith('0') ? 1 : 0}`,
    ],
    ['two characters swapped', () => account.token.replace(/(.)(?!\1)(.)$/, '$2$1')],
    ['one character too few', () => account.token.slice(0, -1)],
    ['another product', () => account.token.replace(/^clv_/, 'ghp_')],
    ['twice the same', () => `${account.token},${account.token}`],
    ['a comma behind it', () => `${account.token},`],
    ['full-width letters', () => account.token.replace('clv', '%EF%BD%83')],
    ['an encoded NUL', () => `${account.token}%00`],
    ['10 KB of it', () => account.token.repeat(120)],
  ];

  it.each(wrong)('%s: 401 invalid_token, without any look-up', async (_what, token) => {
    const answer = await asBearer(token());
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expectNoLookUp();
    expect((await eventOf(answer)).event).toMatchObject({ status: 401, reason: 'malformed' });
  });

  it.each<[string, (token: string) => string, number[]]>([
    ['a trailing line feed', (token) => `${token}\n`, [200, 400]],
    ['a line feed in it', (token) => `${token.slice(0, 20)}\n${token.slice(20)}`, [400]],
    ['a NUL behind it', (token) => `${token}\0`, [400, 401]],
    ['bytes of full-width letters', (token) => token.replace('clv', '\xef\xbd\x83'), [401]],
    ['a tab before it', (token) => `\t${token}`, [400, 401]],
    ['a non-breaking space behind it', (token) => `${token}\xa0`, [401]],
    ['20 KB', (token) => token.repeat(250), [431]],
  ])('%s, as bytes: never 500', async (_what, change, statuses) => {
    const answer = await raw([
      'GET /v1/me HTTP/1.1',
      `Authorization: Bearer ${change(account.token)}`,
    ]);
    expect(statuses).toContain(answer.status);
    expect(answer.text).not.toContain(account.token);
    if (answer.status === 401) expectNoLookUp();
  });
});

describe('a key id that is not known, and a known one with another secret', () => {
  it('get the same bytes after the same work', async () => {
    const tokens = [aToken('key', newId('key')), aToken('key', account.keyId)];
    const seen = [];
    for (const token of tokens) {
      forgetWork();
      const answer = await asBearer(token);
      seen.push({ work: work(), answer: asSeen(answer) });
      expect(answer.status).toBe(401);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]!.work).toMatchObject({ statements: [expect.any(String)], comparisons: 1 });
  });

  it('stand on the trail apart, and guesses do not lock the key', async () => {
    for (let guess = 0; guess < 20; guess += 1) {
      const answer = await asBearer(aToken('key', account.keyId));
      expect(answer.status).toBe(401);
      const event = await eventOf(answer);
      expect(event).toMatchObject({ chain: organization.id, actorId: null });
      expect(event.event).toMatchObject({ actor: { type: 'unverified' }, reason: 'wrong_secret' });
    }
    const unknown = await eventOf(await asBearer(aToken('key', newId('key'))));
    expect(unknown).toMatchObject({ chain: 'system', actorId: null, targetId: null });
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });
});

describe('a key that was good', () => {
  it('and whose organization is suspended: 401, and the trail says so with the account’s name', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const suspended = await anOrganization(server);
    const one = await aServiceAccount(server, suspended);
    expect((await one.client.get('/v1/me')).status).toBe(200);
    expect((await administrator.client.post(`${suspended.path}/suspend`)).status).toBe(200);
    const answer = await one.client.get('/v1/me', from());
    expect(answer.status).toBe(401);
    const event = await eventOf(answer);
    expect(event).toMatchObject({ chain: suspended.id, actorId: one.id });
    expect(event.event).toMatchObject({
      reason: 'organization_suspended',
      actor: { type: 'serviceAccount', name: one.name },
    });
  });
});

describe('a token of another kind', () => {
  it('401: a session’s secret under the prefix of a key, and the other way round', async () => {
    const person = await aPerson(server, organization);
    expect((await asBearer(person.token.replace(/^clvs_/, 'clv_'))).status).toBe(401);
    expect((await asBearer(account.token.replace(/^clv_/, 'clvs_'))).status).toBe(401);
  });

  it('401: an invitation’s, whose id is that of nothing here', async () => {
    const answer = await asBearer(aToken('invitation', newId('inv')));
    expect(answer.status).toBe(401);
    expectNoLookUp();
    expect((await eventOf(answer)).event).toMatchObject({ reason: 'malformed' });
  });

  it('a session where a key is asked for: 403, as it is no key', async () => {
    const person = await aPerson(server, organization);
    const answer = await person.client.post('/v1/me/key/rotate', {}, from());
    expect([answer.status, answer.body.code]).toEqual([403, 'service_accounts_only']);
  });
});

describe('the way in which a credential is shown', () => {
  const bearer = () => `Authorization: Bearer ${account.token}`;

  it.each(['bearer', 'BEARER', 'bEaReR'])('the scheme may be written %s', async (scheme) => {
    const headers = { ...from(), authorization: `${scheme} ${account.token}` };
    expect((await server.client.get('/v1/me', headers)).status).toBe(200);
  });

  it.each(['Basic', 'Digest', 'Token', 'ApiKey', 'Bearer:'])('401: %s', async (scheme) => {
    const headers = { ...from(), authorization: `${scheme} ${account.token}` };
    const answer = await server.client.get('/v1/me', headers);
    expect(answer.status).toBe(401);
    expectNoLookUp();
  });

  it.each<[string, () => string[]]>([
    ['twice the same', () => [bearer(), bearer()]],
    ['a good one and then a bad one', () => [bearer(), 'Authorization: Bearer x']],
    ['a bad one and then a good one', () => ['Authorization: Bearer x', bearer()]],
    ['two schemes', () => [bearer(), 'AUTHORIZATION: Basic eDp4']],
    ['an empty one too', () => [bearer(), 'authorization:']],
  ])('400 for two Authorization headers: %s', async (_what, headers) => {
    const answer = await raw(['GET /v1/me HTTP/1.1', ...headers()]);
    expect(answer.status).toBe(400);
    const [event, ...more] = await eventsOf(server, { requestId: answer.id });
    expect(more).toEqual([]);
    expect(event!.event).toMatchObject({ status: 400, reason: 'several_credentials' });
    expectNoLookUp();
  });

  it('a token in a query or a form is no credential, and is stored and logged nowhere', async () => {
    const { token } = account;
    const names = ['access_token', 'token', 'api_key', 'authorization'];
    for (const name of names) {
      const answer = await server.client.get(`/v1/me?${name}=${token}`, from());
      expect(answer.status).toBe(401);
      expect(JSON.stringify((await eventOf(answer)).event)).not.toContain(token);
    }
    const headers = { ...from(), 'content-type': FORM };
    const form = await server.client.request(
      'POST',
      '/v1/sessions',
      `access_token=${token}`,
      headers,
    );
    expect(form.status).toBe(415);
    expect((await eventOf(form)).body).not.toContain(token);
    const json = await server.client.post('/v1/organizations', { access_token: token }, from());
    expect(json.status).toBe(401);
    // All tables and the whole log are searched for it once more when the server closes.
    expect(server.logs()).not.toContain(token);
    expectNoLookUp();
  });
});
