import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import type { TestOrganization, TestServiceAccount } from './factories.js';
import { type Answer, eventsOf, startServer, type TestServer } from './harness.js';
import { basic, FORM, postForm, rawBasic, withAccessToken } from './oauth.js';
import { from } from './strangers.js';

const PATHS = ['/oauth/introspect', '/oauth/revoke'];

let server: TestServer;
let organization: TestOrganization;
let account: TestServiceAccount;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  organization = await anOrganization(server);
  account = await aServiceAccount(server, organization, { role: 'admin' });
});
afterAll(() => server.close());

/** Every refusal has the shape of RFC 6749 section 5.2, and gives no token away. */
function expectError(answer: Answer, status: number, error: string): void {
  const { body, headers } = answer;
  expect([answer.status, body.error]).toEqual([status, error]);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(body.requestId).toBe(headers.get('x-request-id'));
  expect(JSON.stringify(body)).not.toContain(account.token.slice(4, 40));
}

describe.each(PATHS)('POST %s', (path) => {
  const send = (fields: Record<string, string> | string, headers: Record<string, string> = {}) =>
    postForm(account.client, path, fields, { ...from(), ...headers });
  const anonymous = (
    fields: Record<string, string> | string,
    headers: Record<string, string> = {},
  ) => postForm(server.client, path, fields, { ...from(), ...headers });

  it.each([
    ['no token', ''],
    ['an empty one', 'token='],
    ['one of nothing', 'token'],
    ['other parameters only', 'a=1&b=2'],
  ])('%s: 400 invalid_request naming it', async (_, fields) => {
    const answer = await send(fields);
    expectError(answer, 400, 'invalid_request');
    expect(answer.body.error_description).toMatch(/^token: /);
  });

  it('the token twice: 400 invalid_request', async () => {
    expectError(await send(`token=${account.token}&token=x`), 400, 'invalid_request');
  });

  it('any parameter twice: 400 invalid_request', async () => {
    expectError(await send('token=x&z=1&z=2'), 400, 'invalid_request');
  });

  it.each(['token=%', 'token=%ff', 'token=%00', '%zz=1', '__proto__=1&token=x'])(
    'the form %j: 400 invalid_request',
    async (fields) => expectError(await send(fields), 400, 'invalid_request'),
  );

  it('unknown parameters are ignored', async () => {
    expect((await send('token=x&something=else&token_type_hint=')).status).toBe(200);
  });

  it('a token in the query is not looked at, and not on the trail', async () => {
    const url = `${path}?token=${account.token}`;
    const answer = await postForm(account.client, url, '', from());
    expectError(answer, 400, 'invalid_request');
    const [row] = await eventsOf(server, { requestId: answer.body.requestId });
    expect(row?.event.path).toBe(path);
  });

  it.each([
    ['application/json', '{"token":"x"}'],
    ['text/plain', 'token=x'],
    [`${FORM}; charset=latin1`, 'token=x'],
  ])('a body of %s: 415', async (type, body) => {
    const answer = await send(body, { 'content-type': type });
    expectError(answer, 415, 'invalid_request');
    expect(answer.body.error_description).not.toContain('application/json');
  });

  it('no body at all: 400', async () => {
    const answer = await account.client.request('POST', path, undefined, from());
    expectError(answer, 400, 'invalid_request');
  });

  it('too large: 413', async () => {
    expectError(await send(`token=${'x'.repeat(70_000)}`), 413, 'invalid_request');
  });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s: 405 with Allow', async (method) => {
    const answer = await account.client.request(method, path, undefined, from());
    expectError(answer, 405, 'invalid_request');
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it('without credentials: 401 invalid_client, with both challenges', async () => {
    for (const fields of ['token=x', `token=x&client_id=${account.id}`]) {
      const answer = await anonymous(fields);
      expectError(answer, 401, 'invalid_client');
      expect(answer.headers.get('www-authenticate')).toBe(
        'Basic realm="claviger", charset="UTF-8", Bearer realm="claviger"',
      );
    }
  });

  it.each([
    ['an unknown token', () => `Bearer ${account.token.slice(0, -1)}`],
    ['nothing', () => 'Bearer'],
  ])('bearer with %s: 401 with a challenge for bearers', async (_, authorization) => {
    const answer = await anonymous({ token: 'x' }, { authorization: authorization() });
    expectError(answer, 401, 'invalid_client');
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="claviger", error="invalid_token"',
    );
  });

  it.each([
    ['no base64', () => 'Basic ***'],
    ['nothing', () => 'Basic'],
    ['no colon', () => rawBasic('abc')],
    ['no UTF-8', () => `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`],
    ['a bad percent-encoding', () => rawBasic(`${account.id}:%zz`)],
    ['no secret', () => rawBasic(`${account.id}:`)],
    ['no id', () => rawBasic(`:${account.token}`)],
    ['another id', () => basic('sa_01h455vb4pex5vsknk084sn02q', account.token).authorization],
    ['the key’s id', () => basic(account.keyId, account.token).authorization],
    ['a wrong secret', () => basic(account.id, `${account.token}x`).authorization],
  ])('Basic with %s: 401 with a challenge for Basic', async (_, authorization) => {
    const answer = await anonymous({ token: 'x' }, { authorization: authorization() });
    expectError(answer, 401, 'invalid_client');
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="claviger", charset="UTF-8"');
  });

  it('a secret in the form that is no good, or of nobody: 401', async () => {
    const id = account.id;
    const secrets: Record<string, string>[] = [
      { client_id: id, client_secret: 'x' },
      { client_secret: account.token },
      { client_id: 'sa_x', client_secret: account.token },
    ];
    for (const more of secrets) {
      expectError(await anonymous({ token: 'x', ...more }), 401, 'invalid_client');
    }
  });

  it('a session as a secret: 401', async () => {
    const person = await aPerson(server, organization);
    const headers = basic(person.id, person.token);
    expectError(await anonymous({ token: 'x' }, headers), 401, 'invalid_client');
  });

  it('an assertion of another kind, or half of one: 401', async () => {
    const assertions: Record<string, string>[] = [
      { client_assertion: 'x' },
      { client_assertion: 'a.b.c', client_assertion_type: 'saml' },
      {
        client_assertion: 'a.b.c',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    ];
    for (const more of assertions) {
      expectError(await anonymous({ token: 'x', ...more }), 401, 'invalid_client');
    }
  });

  it('several ways to authenticate at once: 400', async () => {
    const secret = { client_id: account.id, client_secret: account.token };
    expectError(await send({ token: 'x', ...secret }), 400, 'invalid_request');
    const header = basic(account.id, account.token);
    expectError(await anonymous({ token: 'x', ...secret }, header), 400, 'invalid_request');
    const asserting = { token: 'x', ...secret, client_assertion: 'a.b.c' };
    expectError(await anonymous(asserting), 400, 'invalid_request');
  });

  it('an account’s id beside the header that is not the caller’s: 401; the same id says nothing new', async () => {
    const accessToken = await withAccessToken(server.client, account);
    const headers = [
      basic(account.id, account.token),
      { authorization: `Bearer ${account.token}` },
      { authorization: `Bearer ${accessToken.token}` },
    ];
    for (const header of headers) {
      const same = await anonymous({ token: 'x', client_id: account.id }, header);
      expect(same.status).toBe(200);
      const other = await anonymous(
        { token: 'x', client_id: 'sa_01h455vb4pex5vsknk084sn02q' },
        header,
      );
      expectError(other, 401, 'invalid_client');
    }
    const person = await aPerson(server, organization);
    const session = { authorization: `Bearer ${person.token}` };
    const answer = await anonymous({ token: 'x', client_id: account.id }, session);
    expectError(answer, 401, 'invalid_client');
  });

  it('two Authorization headers: 400', async () => {
    const { authorization } = basic(account.id, account.token);
    const status = await new Promise<number>((resolve, reject) => {
      const headers = ['authorization', authorization, 'authorization', authorization];
      const request = httpRequest(
        server.url + path,
        { method: 'POST', headers: [...headers, 'host', 'x', 'content-type', FORM] as never },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      request.on('error', reject);
      request.end('token=x');
    });
    expect(status).toBe(400);
  });
});

describe('POST /oauth/introspect', () => {
  it.each([
    ['required_scope', 'keys:read  keys:manage'],
    ['required_scope', 'a"b'],
    ['required_scope', 'x'.repeat(5_000)],
    ['client_ip', 'localhost'],
    ['client_ip', '010.1.1.1'],
    ['client_ip', '192.0.2.0/24'],
  ])('%s=%s: 400 invalid_request naming it', async (name, value) => {
    const form = { token: account.token, [name]: value };
    const answer = await postForm(account.client, '/oauth/introspect', form, from());
    expectError(answer, 400, 'invalid_request');
    expect(answer.body.error_description).toContain(`${name}: `);
  });
});

describe('elsewhere', () => {
  it('nothing at a path under /oauth is 404 in the same shape', async () => {
    expectError(await account.client.get('/oauth/nothing', from()), 404, 'invalid_request');
    expectError(await server.client.get('/oauth/%zz', from()), 400, 'invalid_request');
  });

  it('Basic is no credential under /v1', async () => {
    const { status, headers } = await server.client.get('/v1/me', {
      ...basic(account.id, account.token),
      ...from(),
    });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="claviger"');
  });

  it('problems stay problems under /v1', async () => {
    const { body, headers } = await server.client.get('/v1/me', from());
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body.error).toBeUndefined();
  });
});

describe('too often', () => {
  it('is 429 for a client, counted over all its ways to authenticate', async () => {
    const own = await anOrganization(server, { requestsPerMinute: 2 });
    const client = await aServiceAccount(server, own, { role: 'verifier' });
    const path = '/oauth/introspect';
    expect((await postForm(client.client, path, { token: 'x' })).status).toBe(200);
    const headers = basic(client.id, client.token);
    expect((await postForm(server.client, path, { token: 'x' }, headers)).status).toBe(200);
    const secret = { client_id: client.id, client_secret: client.token };
    const answer = await postForm(server.client, path, { token: 'x', ...secret });
    expectError(answer, 429, 'temporarily_unavailable');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('bad secrets are a flood: 429, without events of their own', async () => {
    const address = { 'x-forwarded-for': '198.51.100.77' };
    const headers = { ...basic(account.id, 'wrong'), ...address };
    const statuses: number[] = [];
    let last: Answer | undefined;
    for (let round = 0; round < 62; round += 1) {
      last = await postForm(server.client, '/oauth/introspect', { token: 'x' }, headers);
      statuses.push(last.status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(60);
    expectError(last!, 429, 'temporarily_unavailable');
    const good = { ...basic(account.id, account.token), ...address };
    const { status } = await postForm(server.client, '/oauth/introspect', { token: 'x' }, good);
    expect(status).toBe(200);
  });
});
