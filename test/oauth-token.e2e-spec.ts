import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { eventsOf, startServer, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
} from './factories.js';
import { askForToken, postForm, withAccessToken } from './oauth.js';

const ISSUER = 'http://localhost:3000';
const REPORTS = 'https://reports.example.com';

let server: TestServer;
let organization: TestOrganization;

beforeAll(async () => {
  server = await startServer();
  organization = await anOrganization(server);
});
afterAll(() => server.close());

const anAccount = (role = 'viewer') => aServiceAccount(server, organization, { role });

describe('POST /oauth/token', () => {
  it('answers with an access token that others verify by the JWKS', async () => {
    const account = await anAccount('verifier');
    const { status, headers, body } = await askForToken(server.client, account);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'tokens:introspect',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('pragma')).toBe('no-cache');
    const jwks = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(body.access_token, jwks, {
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: ISSUER,
      sub: account.id,
      client_id: account.id,
      aud: ISSUER,
      exp: (payload.iat ?? 0) + 300,
      iat: expect.any(Number),
      jti: expect.any(String),
      scope: 'tokens:introspect',
      organization_id: organization.id,
      username: account.name,
      key_id: account.keyId,
    });
  });

  it('understands HTTP Basic, too', async () => {
    const account = await anAccount();
    const basic = Buffer.from(`${account.id}:${account.token}`).toString('base64');
    const { status } = await postForm(
      server.client,
      '/oauth/token',
      { grant_type: 'client_credentials' },
      { authorization: `Basic ${basic}` },
    );
    expect(status).toBe(200);
  });

  it('narrows by scope, and says so', async () => {
    const account = await anAccount();
    const { body } = await askForToken(server.client, account, {
      scope: 'users:read organization:read users:read',
    });
    expect(body.scope).toBe('organization:read users:read');
    expect(decodeJwt(body.access_token)['scope']).toBe('organization:read users:read');
  });

  it('takes an empty parameter for one that is not there', async () => {
    const { status, body } = await askForToken(server.client, await anAccount('verifier'), {
      scope: '',
      resource: '',
    });
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'tokens:introspect' });
    expect(decodeJwt(body.access_token).aud).toBe(ISSUER);
  });

  it('says nothing of scope when the key has no permission, and permits nothing then', async () => {
    const account = await anAccount();
    const key = await aKey(server, organization, account, { permissions: [] });
    const { status, body } = await askForToken(server.client, { ...account, token: key.token });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty('scope');
    expect(decodeJwt(body.access_token)).not.toHaveProperty('scope');
    const client = server.client.withToken(body.access_token);
    expect((await client.get('/v1/me')).body).toMatchObject({ permissions: [] });
    expect((await client.get(organization.path)).status).toBe(403);
    const verifier = await anAccount('verifier');
    for (const token of [key.token, body.access_token]) {
      const asked = await postForm(verifier.client, '/oauth/introspect', { token });
      expect(asked.body).toMatchObject({ active: true, sub: account.id });
      expect(asked.body).not.toHaveProperty('scope');
    }
  });

  it('is for the resources that are named', async () => {
    const account = await anAccount();
    const one = await askForToken(server.client, account, { resource: REPORTS });
    expect(decodeJwt(one.body.access_token).aud).toBe(REPORTS);
    const two = await askForToken(server.client, account, {
      resource: [REPORTS, 'urn:x', REPORTS],
    });
    expect(decodeJwt(two.body.access_token).aud).toEqual([REPORTS, 'urn:x']);
  });

  it('never outlives its key', async () => {
    const account = await anAccount();
    const expiresAt = new Date(Date.now() + 120_000);
    const key = await aKey(server, organization, account, { expiresAt });
    const { body } = await askForToken(server.client, { id: account.id, token: key.token });
    expect(body.expires_in).toBeLessThanOrEqual(120);
    expect(decodeJwt(body.access_token).exp).toBeLessThanOrEqual(expiresAt.getTime() / 1_000);
  });

  it('is on the trail, without the token', async () => {
    const account = await anAccount('verifier');
    const { headers, body } = await askForToken(server.client, account);
    const requestId = headers.get('x-request-id') ?? '';
    const events = await eventsOf(server, { requestId });
    const { jti, exp } = decodeJwt(body.access_token);
    expect(events.map(({ event }) => event.action)).toEqual([
      'access_token.issued',
      'http.request',
    ]);
    expect(events[0]?.event).toMatchObject({
      actor: { type: 'serviceAccount', id: account.id },
      key: { id: account.keyId },
      targets: [{ type: 'accessToken', id: jti }, { type: 'key' }, { type: 'serviceAccount' }],
      details: {
        jti,
        scope: ['tokens:introspect'],
        audience: ISSUER,
        expiresAt: new Date((exp ?? 0) * 1_000).toISOString(),
      },
    });
    expect(events[1]?.event).toMatchObject({
      actor: { id: account.id },
      key: { id: account.keyId },
      route: '/oauth/token',
      status: 200,
    });
  });

  describe('refuses', () => {
    it.each([
      [{ grant_type: 'authorization_code' }, 'unsupported_grant_type'],
      [{ grant_type: '' }, 'invalid_request'],
      [{ scope: 'users:manage' }, 'invalid_scope'],
      [{ scope: 'users:read nothing' }, 'invalid_scope'],
      [{ scope: ' ' }, 'invalid_scope'],
      [{ resource: 'reports' }, 'invalid_target'],
      [{ resource: `${REPORTS}#part` }, 'invalid_target'],
      [{ resource: ['https://a.example.com', 'https://a b'] }, 'invalid_target'],
      [{ scope: ['users:read', 'roles:read'] }, 'invalid_request'],
    ])('%j: %s', async (form, error) => {
      const { status, body } = await askForToken(server.client, await anAccount(), form);
      expect({ status, error: body.error }).toEqual({ status: 400, error });
    });

    it('a wrong secret, an id that is not the key’s, and none', async () => {
      const [account, other] = [await anAccount(), await anAccount()];
      const wrong = `${account.token.slice(0, -1)}${account.token.endsWith('0') ? '1' : '0'}`;
      const grant = { grant_type: 'client_credentials' };
      const answers = [
        await askForToken(server.client, { id: account.id, token: wrong }),
        await askForToken(server.client, { id: other.id, token: account.token }),
        await postForm(server.client, '/oauth/token', grant),
      ];
      for (const { status, body } of answers) {
        expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' });
      }
    });

    it('an access token, as a bearer and as a secret', async () => {
      const account = await anAccount();
      const client = await withAccessToken(server.client, account);
      const bearer = await postForm(client, '/oauth/token', { grant_type: 'client_credentials' });
      expect(bearer.status).toBe(400);
      expect(bearer.body).toMatchObject({
        error: 'unauthorized_client',
        error_description: expect.stringContaining('the key itself'),
      });
      const secret = await askForToken(server.client, {
        id: account.id,
        token: client.token ?? '',
      });
      expect(secret.status).toBe(401);
    });

    it('a person', async () => {
      const { client } = await aPerson(server, organization);
      const answer = await postForm(client, '/oauth/token', { grant_type: 'client_credentials' });
      expect(answer.status).toBe(403);
    });

    it('a key from another address', async () => {
      const account = await anAccount();
      const key = await aKey(server, organization, account, { allowedCidrs: ['192.0.2.0/24'] });
      const { status } = await askForToken(server.client, { id: account.id, token: key.token });
      expect(status).toBe(403);
    });

    it('more permissions than fit into a header', async () => {
      const permissions = Array.from({ length: 70 }, (_, n) => `long:${'x'.repeat(110)}${n}`);
      await server.database.system((tx) =>
        tx.role.create({
          data: { organizationId: organization.id, key: 'huge', name: 'Huge', permissions },
        }),
      );
      const account = await anAccount('huge');
      const { status, body } = await askForToken(server.client, account);
      expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_scope' });
      const narrowed = await askForToken(server.client, account, { scope: permissions[0] ?? '' });
      expect(narrowed.status).toBe(200);
    });
  });

  it('does not answer when the key was revoked while the token was made', async () => {
    const account = await anAccount();
    // The second transaction of the request is the issue's own: it is held until the key is gone.
    const { database } = server;
    const tenant = database.tenant.bind(database);
    let isFirst = true;
    database.tenant = async (organizationId, work) => {
      const result = await tenant(organizationId, work);
      if (isFirst) {
        isFirst = false;
        const owner = await aPerson(server, organization);
        expect((await owner.client.delete(`${account.path}/keys/${account.keyId}`)).status).toBe(
          204,
        );
      }
      return result;
    };
    try {
      const { status, body } = await askForToken(server.client, account);
      expect(status).toBe(401);
      expect(JSON.stringify(body)).not.toContain('eyJ');
    } finally {
      database.tenant = tenant;
    }
  });
});

describe('GET /.well-known/jwks.json', () => {
  it('shows public keys, may be cached, and is not on the trail', async () => {
    const { status, headers, body } = await server.client.get('/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=600');
    expect(body.keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        use: 'sig',
        alg: 'ES256',
      },
    ]);
    const requestId = headers.get('x-request-id') ?? '';
    expect(await eventsOf(server, { requestId })).toEqual([]);
    const { body: token } = await askForToken(server.client, await anAccount());
    expect(decodeProtectedHeader(token.access_token).kid).toBe(body.keys[0].kid);
  });
});
