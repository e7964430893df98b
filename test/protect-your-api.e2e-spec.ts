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
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type IntrospectionOptions,
  InvalidTokenError,
  introspectionVerifier,
  jwtVerifier,
  type TokenVerifier,
  VerifierMisconfiguredError,
  VerifierUnavailableError,
} from '../sdk/typescript/src/verify.js';
import {
  aKey,
  anOrganization,
  aServiceAccount,
  type TestOrganization,
  type TestServiceAccount,
} from './factories.js';
import { freePort } from './free-port.js';
import { startServer, type TestServer } from './harness.js';
import { type Api, APIS } from './protected-apis.js';

const AUDIENCE = 'https://reports.example.com';

let server: TestServer;
let organization: TestOrganization;
let admin: TestServiceAccount;
let asker: TestServiceAccount;
let reporter: TestServiceAccount;
let stranger: TestServiceAccount;

beforeAll(async () => {
  const port = await freePort();
  server = await startServer({ port, publicUrl: `http://127.0.0.1:${port}` });
  organization = await anOrganization(server);
  admin = await aServiceAccount(server, organization, { role: 'admin' });
  asker = await aServiceAccount(server, organization, { role: 'verifier' });
  await admin.client.post(`${organization.path}/permissions`, {
    permission: 'reports:download',
    description: 'Download reports.',
  });
  await admin.client.post(`${organization.path}/roles`, {
    key: 'reporter',
    name: 'Reporter',
    permissions: ['reports:download'],
  });
  reporter = await aServiceAccount(server, organization, { role: 'reporter', name: 'Reporter' });
  stranger = await aServiceAccount(server, organization, { role: 'viewer' });
});
afterAll(() => server.close());

const introspection = (options: Partial<IntrospectionOptions> = {}) =>
  introspectionVerifier({ issuer: server.url, token: asker.token, ...options });

async function accessToken(key: { token: string }, resource?: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: reporter.id,
    client_secret: key.token,
    ...(resource && { resource }),
  });
  const response = await fetch(`${server.url}/oauth/token`, { method: 'POST', body: form });
  const { access_token: token } = (await response.json()) as { access_token: string };
  expect(response.status).toBe(200);
  return token;
}

/** How often the server was asked, by the caller's own events on the trail. */
async function questions(): Promise<number> {
  const { body } = await admin.client.get(
    `${organization.path}/audit-events?actor=${asker.id}&limit=200`,
  );
  return body.data.length;
}

describe('introspectionVerifier', () => {
  it('tells whose key it is and what it permits', async () => {
    expect(await introspection().verify(reporter.token)).toEqual({
      clientId: reporter.id,
      username: 'Reporter',
      organizationId: organization.id,
      scope: new Set(['reports:download']),
      tokenId: reporter.keyId,
      expiresAt: null,
    });
  });

  it('asks once about the same token, but again for another address', async () => {
    const verifier = introspection();
    const before = await questions();
    await Promise.all([1, 2, 3].map(() => verifier.verify(reporter.token)));
    await verifier.verify(reporter.token);
    expect((await questions()) - before).toBe(1);
    await verifier.verify(reporter.token, '203.0.113.7');
    expect((await questions()) - before).toBe(2);
  });

  it('keeps an answer no longer than it promises, counted from the question', async () => {
    const now = jest.spyOn(performance, 'now');
    try {
      const verifier = introspection({ cacheSeconds: 5 });
      const key = await aKey(server, organization, reporter);
      now.mockReturnValue(1_000);
      await verifier.verify(key.token);
      expect((await admin.client.delete(key.path)).status).toBe(204);
      now.mockReturnValue(5_999);
      await verifier.verify(key.token);
      now.mockReturnValue(6_000);
      await expect(verifier.verify(key.token)).rejects.toThrow(InvalidTokenError);
    } finally {
      now.mockRestore();
    }
  });

  it('keeps nothing at all when told so: a revocation holds at once', async () => {
    const verifier = introspection({ cacheSeconds: 0 });
    const key = await aKey(server, organization, reporter);
    await verifier.verify(key.token);
    await admin.client.delete(key.path);
    await expect(verifier.verify(key.token)).rejects.toThrow(InvalidTokenError);
  });

  it('keeps only so many answers, and no refusals', async () => {
    const verifier = introspection({ maxCached: 1 });
    const before = await questions();
    await verifier.verify(reporter.token);
    await verifier.verify(stranger.token);
    await verifier.verify(reporter.token);
    await expect(verifier.verify('nonsense')).rejects.toThrow(InvalidTokenError);
    await expect(verifier.verify('nonsense')).rejects.toThrow(InvalidTokenError);
    expect((await questions()) - before).toBe(5);
  });

  it('says that it is not set up rightly when the server refuses its own token', async () => {
    const refusals = [
      [stranger.token, /403.*insufficient_scope.*tokens:introspect/],
      [`${asker.token.slice(0, -1)}x`, /401.*invalid_token/],
    ] as const;
    for (const [token, message] of refusals) {
      const verifier = introspectionVerifier({ issuer: server.url, token });
      const refusal = await verifier.verify(reporter.token).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(VerifierMisconfiguredError);
      expect((refusal as Error).message).toMatch(message);
      expect((refusal as Error).message).not.toContain(token);
    }
  });

  it('takes another token of its own without a restart', async () => {
    const old = await aKey(server, organization, asker);
    let token = old.token;
    const verifier = introspection({ token: () => Promise.resolve(token), cacheSeconds: 0 });
    await verifier.verify(reporter.token);
    await admin.client.delete(old.path);
    await expect(verifier.verify(reporter.token)).rejects.toThrow(VerifierMisconfiguredError);
    token = asker.token;
    expect((await verifier.verify(reporter.token)).clientId).toBe(reporter.id);
    const none = introspection({ token: () => Promise.reject(new Error('no vault')) });
    await expect(none.verify(reporter.token)).rejects.toThrow(VerifierUnavailableError);
    const never = introspection({ token: () => new Promise<never>(() => {}), timeoutMs: 50 });
    await expect(never.verify(reporter.token)).rejects.toThrow(VerifierUnavailableError);
  });

  it('does not blame its token for metadata that somebody else refuses', async () => {
    const guarded = createServer((_, response) => response.writeHead(403).end());
    await once(guarded.listen(0, '127.0.0.1'), 'listening');
    const { port } = guarded.address() as AddressInfo;
    try {
      const verifier = introspectionVerifier({
        issuer: `http://127.0.0.1:${port}`,
        token: asker.token,
      });
      await expect(verifier.verify(reporter.token)).rejects.toThrow(VerifierUnavailableError);
    } finally {
      guarded.close();
    }
  });

  it('lets nobody in when nobody answers', async () => {
    const nobody = introspectionVerifier({ issuer: 'http://127.0.0.1:1', token: asker.token });
    await expect(nobody.verify(reporter.token)).rejects.toThrow(VerifierUnavailableError);
  });

  it('takes an access token only when it was made for this API', async () => {
    const [ours, theirs, own] = [
      await accessToken(reporter, AUDIENCE),
      await accessToken(reporter, 'https://other.example.com'),
      await accessToken(reporter),
    ];
    const api = introspectionVerifier({
      issuer: server.url,
      token: asker.token,
      audience: AUDIENCE,
    });
    expect((await api.verify(ours)).clientId).toBe(reporter.id);
    for (const token of [theirs, own]) {
      await expect(api.verify(token)).rejects.toThrow(InvalidTokenError);
    }
    await expect(introspection().verify(ours)).rejects.toThrow(InvalidTokenError);
  });

  it('cannot be made without what it needs', () => {
    expect(() => introspectionVerifier({ issuer: server.url, token: '' })).toThrow(TypeError);
    expect(() => jwtVerifier({ issuer: server.url, audience: '' })).toThrow(TypeError);
  });

  it('heeds the networks that a key is bound to', async () => {
    const key = await aKey(server, organization, reporter, { allowedCidrs: ['203.0.113.0/24'] });
    const verifier = introspection();
    await verifier.verify(key.token, '203.0.113.7');
    await expect(verifier.verify(key.token, '198.51.100.1')).rejects.toThrow(InvalidTokenError);
    await expect(verifier.verify(key.token)).rejects.toThrow(InvalidTokenError);
  });
});

describe('jwtVerifier', () => {
  const verifier = () => jwtVerifier({ issuer: server.url, audience: AUDIENCE });

  it('tells what an access token for this API stands for', async () => {
    const token = await verifier().verify(await accessToken(reporter, AUDIENCE));
    expect(token).toMatchObject({
      clientId: reporter.id,
      username: 'Reporter',
      organizationId: organization.id,
      scope: new Set(['reports:download']),
    });
    expect(token.expiresAt!.getTime()).toBeGreaterThan(Date.now());
  });

  it('refuses keys, tokens for other APIs, and tokens that were changed', async () => {
    const good = await accessToken(reporter, AUDIENCE);
    const [head, claims, signature] = good.split('.') as [string, string, string];
    const more = {
      ...JSON.parse(Buffer.from(claims, 'base64url').toString()),
      scope: 'keys:manage',
    };
    const changed = Buffer.from(JSON.stringify(more)).toString('base64url');
    for (const token of [
      reporter.token,
      await accessToken(reporter),
      await accessToken(reporter, 'https://other.example.com'),
      `${head}.${changed}.${signature}`,
      `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${claims}.`,
      'a.b.c',
    ]) {
      await expect(verifier().verify(token)).rejects.toThrow(InvalidTokenError);
    }
  });

  it('lets nobody in when the keys cannot be read', async () => {
    const nobody = jwtVerifier({ issuer: 'http://127.0.0.1:1', audience: AUDIENCE });
    const token = await accessToken(reporter, AUDIENCE);
    await expect(nobody.verify(token)).rejects.toThrow(VerifierUnavailableError);
  });
});

describe.each(Object.keys(APIS))('an API on %s', (framework) => {
  let api: Api;
  const start = async (verifier: TokenVerifier) => void (api = await APIS[framework]!(verifier));
  const get = async (path: string, token?: string) => {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const response = await fetch(api.url + path, { ...(headers && { headers }) });
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      type: response.headers.get('content-type'),
      challenge: response.headers.get('www-authenticate'),
      retryAfter: response.headers.get('retry-after'),
    };
  };

  describe('that asks', () => {
    beforeEach(() => start(introspection()));
    afterEach(() => api.close());

    it('lets in who holds the permission, and knows who it is', async () => {
      expect(await get('/reports', reporter.token)).toMatchObject({
        status: 200,
        body: { caller: 'Reporter' },
      });
      expect((await get('/open')).status).toBe(200);
    });

    it('401 without a token and with a bad one, each with its challenge', async () => {
      expect(await get('/reports')).toMatchObject({ status: 401, challenge: 'Bearer' });
      for (const token of ['nonsense', 'two words']) {
        expect(await get('/reports', token)).toMatchObject({
          status: 401,
          challenge: 'Bearer error="invalid_token"',
          type: expect.stringContaining('application/problem+json'),
          body: { status: 401, code: 'invalid_token' },
        });
      }
    });

    it('403 naming the permission that is missing', async () => {
      expect(await get('/reports', stranger.token)).toMatchObject({
        status: 403,
        challenge: 'Bearer error="insufficient_scope", scope="reports:download"',
        body: { status: 403, code: 'insufficient_scope' },
      });
    });
  });

  describe('that cannot ask', () => {
    beforeEach(() =>
      start(introspectionVerifier({ issuer: 'http://127.0.0.1:1', token: asker.token })),
    );
    afterEach(() => api.close());

    it('503 with Retry-After for everybody', async () => {
      expect(await get('/reports', reporter.token)).toMatchObject({
        status: 503,
        retryAfter: '2',
        body: { code: 'verifier_unavailable' },
      });
    });
  });

  describe('that may not ask', () => {
    beforeEach(() => start(introspectionVerifier({ issuer: server.url, token: stranger.token })));
    afterEach(() => api.close());

    it('500 for everybody, which no waiting mends', async () => {
      expect(await get('/reports', reporter.token)).toMatchObject({
        status: 500,
        retryAfter: null,
        type: expect.stringContaining('application/problem+json'),
        body: { status: 500, code: 'verifier_misconfigured' },
      });
    });
  });
});
