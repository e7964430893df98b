import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { statusOf, Platform } from './http-fixture.js';

const platform = new Platform();

beforeAll(() => platform.start());

afterAll(() => platform.stop());

describe('problems', () => {
  it('has the members of RFC 9457, the request id and no query', async () => {
    const response = await platform.send('/v1/fail/notFound?token=secret');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      type: 'urn:claviger:problem:not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is no such thing.',
      instance: expect.stringMatching(/^urn:claviger:request:req_/),
      code: 'not_found',
      requestId: response.headers.get('x-request-id'),
    });
  });

  it.each([
    ['forbidden', 403, 'insufficient_scope'],
    ['unauthorized', 401, 'unauthorized'],
    ['busy', 503, 'busy'],
    ['database', 503, 'database_unavailable'],
    ['unknown', 500, 'internal_error'],
    ['nul', 400, 'invalid_value'],
    ['unique', 409, 'conflict'],
  ])('answers %s with %i %s and without a secret', async (kind, status, code) => {
    const response = await platform.send(`/v1/fail/${kind}`);
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(JSON.parse(text)).toMatchObject({ code, status });
    expect(text).not.toMatch(/secret|select|stack/);
    if (status === 503) expect(response.headers.get('retry-after')).toBe('1');
    if (status === 401 || status === 403) {
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="claviger"/);
    }
  });

  it('logs what it does not tell, under the request id', async () => {
    const response = await platform.send('/v1/fail/unknown');
    const id = response.headers.get('x-request-id') ?? '?';
    expect(platform.log.find((line) => line.includes(id))).toMatch(/select \* from secret/);
  });
});

describe('routes', () => {
  it.each([
    ['GET', '/v1/nothing'],
    ['POST', '/v1/things/x/y'],
    ['GET', '/v1/things/'],
    ['GET', '//v1/things'],
    ['GET', '/v1//things'],
    ['GET', '/V1/things'],
    ['GET', '/v1/things;x'],
    ['GET', '/v1%2Fthings'],
  ])('%s %s is 404 route_not_found', async (method, path) => {
    const response = await platform.send(path, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'route_not_found' });
  });

  it.each([
    ['PUT', '/v1/things', 'GET, HEAD, POST'],
    ['POST', '/v1/things/x', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/oauth/token', 'POST'],
  ])('%s %s is 405 with Allow', async (method, path, allow) => {
    const response = await platform.send(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
  });

  it('decides about route and method before it looks at the body', async () => {
    const init = { body: '{', headers: { 'Content-Type': 'application/json' } };
    expect((await platform.send('/v1/nothing', { method: 'POST', ...init })).status).toBe(404);
    expect((await platform.send('/v1/things', { method: 'PUT', ...init })).status).toBe(405);
  });

  it('answers HEAD wherever it answers GET', async () => {
    const response = await platform.send('/v1/things', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('takes the absolute form for the path in it', async () => {
    expect(statusOf(await platform.rawGet('http://other.example/v1/things'))).toBe(200);
    expect(statusOf(await platform.rawGet('http://other.example/v1/nothing'))).toBe(404);
  });

  it.each(['/v1/things/%00', '/v1/things/%ff', '/v1/things/%ed%a0%80', '/v1/things/%'])(
    'refuses the path %j with 400 invalid_path',
    async (path) => {
      const answer = await platform.rawGet(path);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toMatch(/"code":"invalid_path"/);
      expect(answer).toMatch(/x-request-id: req_/i);
      expect(answer).toMatch(/content-security-policy/i);
    },
  );

  it('lets answers made below the router pass through finish', async () => {
    const before = platform.finished.length;
    const answer = await platform.rawGet('/v1/things/%ff');
    expect(platform.finished).toHaveLength(before + 1);
    expect(answer).toContain(platform.finished.at(-1));
  });

  it('takes an id of any length that fits into the headers', async () => {
    expect((await platform.send(`/v1/things/${'x'.repeat(10_000)}`)).status).toBe(200);
  });
});

describe('below HTTP', () => {
  it('answers 400, 417 and 431 as problems', async () => {
    const bad = await platform.raw('NONSENSE\r\n\r\n');
    expect(statusOf(bad)).toBe(400);
    const large = await platform.rawGet('/v1/things', `X-Large: ${'x'.repeat(17_000)}\r\n`);
    expect(statusOf(large)).toBe(431);
    const expectation = await platform.rawGet('/v1/things', 'Expect: cake\r\n');
    expect(statusOf(expectation)).toBe(417);
    for (const answer of [bad, large, expectation]) {
      expect(answer).toMatch(/application\/problem\+json/);
      expect(answer).toMatch(/X-Request-Id: req_/);
    }
  });
});

describe('TRACE', () => {
  it.each(['/v1/things', '/v1/nothing', '/'])('of %s shows nobody what they sent', async (path) => {
    const lines = [`TRACE ${path} HTTP/1.1`, 'Host: x', 'Connection: close', 'X-Echo: echoed'];
    const answer = await platform.raw(`${lines.join('\r\n')}\r\n\r\n`);
    expect([404, 405]).toContain(statusOf(answer));
    expect(answer).not.toContain('echoed');
  });
});

describe('a message whose end can be read in two ways', () => {
  it.each([
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 50']],
    ['a length that is a list', ['Content-Length: 5, 50']],
    ['a length with a sign', ['Content-Length: +5']],
    ['chunks that are not the last coding', ['Transfer-Encoding: chunked, identity']],
    ['a space before the colon', ['Transfer-Encoding : chunked']],
  ])('is refused and nothing of it read: %s', async (_, headers) => {
    const head = ['POST /v1/things HTTP/1.1', 'Host: a', 'Content-Type: application/json'];
    const smuggled = 'GET /v1/things HTTP/1.1\r\nHost: a\r\n\r\n';
    const answer = await platform.raw(
      `${[...head, ...headers].join('\r\n')}\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});

describe('headers', () => {
  it('are those of an API, on every answer', async () => {
    for (const path of ['/v1/things', '/v1/nothing', '/v1/things/%ff']) {
      const { headers } = await platform.send(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=/);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
    }
  });

  it('does not take the request id from the client', async () => {
    const forged = { 'X-Request-Id': 'req_forged', 'Request-Id': 'req_forged' };
    const { headers } = await platform.send('/v1/things', { headers: forged });
    expect(headers.get('x-request-id')).not.toBe('req_forged');
  });
});

describe('CORS', () => {
  const open = new Platform();

  beforeAll(() => open.start({ corsOrigins: ['https://panel.example'] }));

  afterAll(() => open.stop());

  const preflight = (asked: Platform, origin: string) =>
    asked.send('/v1/things', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    });

  it('opens the API to the configured origins and to no other', async () => {
    const known = await preflight(open, 'https://panel.example');
    expect(known.status).toBe(204);
    expect(known.headers.get('access-control-allow-origin')).toBe('https://panel.example');
    const stranger = await preflight(open, 'https://evil.example');
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is closed by default: OPTIONS is a wrong method', async () => {
    const response = await preflight(platform, 'https://panel.example');
    expect(response.status).toBe(405);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});
