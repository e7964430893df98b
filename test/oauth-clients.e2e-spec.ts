import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { anOrganization, aServiceAccount } from './factories.js';
import type { TestOrganization, TestServiceAccount } from './factories.js';
import { startServer, type TestServer } from './harness.js';
import { freePort } from './free-port.js';

/** Two libraries that nobody here wrote, unchanged. Plain HTTP is the only thing that they are asked to bear. */
const INSECURE = { [oauth.allowInsecureRequests]: true };

let server: TestServer;
let organization: TestOrganization;
let verifier: TestServiceAccount;
let issuer: URL;

beforeAll(async () => {
  const port = await freePort();
  issuer = new URL(`http://127.0.0.1:${port}`);
  server = await startServer({ port, publicUrl: issuer.origin });
  organization = await anOrganization(server);
  verifier = await aServiceAccount(server, organization, { role: 'verifier' });
});
afterAll(() => server.close());

describe('GET /.well-known/oauth-authorization-server', () => {
  it('is public, may be kept for a short time, and names only what there is', async () => {
    const { status, headers, body } = await server.client.get(
      '/.well-known/oauth-authorization-server',
    );
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(body).toMatchObject({
      issuer: issuer.origin,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
    });
    const document = await server.client.get('/openapi.json');
    for (const endpoint of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint']) {
      const { pathname } = new URL(body[endpoint]);
      expect(Object.keys(document.body.paths[pathname] ?? {})).toEqual(['post']);
    }
    expect(document.body.paths[new URL(body.jwks_uri).pathname]).toHaveProperty('get');
  });
});

describe('oauth4webapi', () => {
  let as: oauth.AuthorizationServer;
  const me = (): oauth.Client => ({ client_id: verifier.id });

  beforeAll(async () => {
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE });
    as = await oauth.processDiscoveryResponse(issuer, answer);
  });

  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ])('introspects and revokes by %s', async (_, method) => {
    const account = await aServiceAccount(server, organization);
    const auth = method(verifier.token);
    const ask = async () =>
      oauth.processIntrospectionResponse(
        as,
        me(),
        await oauth.introspectionRequest(as, me(), auth, account.token, INSECURE),
      );
    expect(await ask()).toMatchObject({ active: true, client_id: account.id, jti: account.keyId });
    const own = method(account.token);
    const them = { client_id: account.id };
    const ended = await oauth.revocationRequest(as, them, own, account.token, INSECURE);
    expect(await oauth.processRevocationResponse(ended)).toBeUndefined();
    expect(await ask()).toEqual({ active: false });
  });

  it('understands a refusal', async () => {
    const wrong = oauth.ClientSecretPost('wrong');
    const answer = await oauth.introspectionRequest(as, me(), wrong, 'x', INSECURE);
    expect(answer.status).toBe(401);
    await expect(oauth.processIntrospectionResponse(as, me(), answer)).rejects.toMatchObject({
      status: 401,
    });
  });

  it('gets an access token, which introspection knows', async () => {
    const auth = oauth.ClientSecretBasic(verifier.token);
    const asked = await oauth.clientCredentialsGrantRequest(as, me(), auth, {}, INSECURE);
    const { access_token: token } = await oauth.processClientCredentialsResponse(as, me(), asked);
    const answer = await oauth.introspectionRequest(as, me(), auth, token, INSECURE);
    expect(await oauth.processIntrospectionResponse(as, me(), answer)).toMatchObject({
      active: true,
      client_id: verifier.id,
      aud: issuer.origin,
    });
  });
});

describe('openid-client', () => {
  const discover = (account: TestServiceAccount, secret = account.token) =>
    client.discovery(issuer, account.id, undefined, client.ClientSecretBasic(secret), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });

  it('discovers, introspects and revokes', async () => {
    const account = await aServiceAccount(server, organization);
    const asking = await discover(verifier);
    expect(await client.tokenIntrospection(asking, account.token)).toMatchObject({
      active: true,
      username: account.name,
      token_type: 'Bearer',
    });
    await client.tokenRevocation(await discover(account), account.token);
    expect(await client.tokenIntrospection(asking, account.token)).toEqual({ active: false });
    const refused = client.tokenIntrospection(await discover(verifier, 'wrong'), 'x');
    await expect(refused).rejects.toMatchObject({ status: 401 });
  });

  it('gets an access token and ends it, and nothing else', async () => {
    const configuration = await discover(verifier);
    const { access_token: token } = await client.clientCredentialsGrant(configuration);
    expect(await client.tokenIntrospection(configuration, token)).toMatchObject({ active: true });
    await client.tokenRevocation(configuration, token);
    expect(await client.tokenIntrospection(configuration, token)).toEqual({ active: false });
    expect((await verifier.client.get('/v1/me')).status).toBe(200);
    const another = await client.clientCredentialsGrant(configuration);
    expect(await client.tokenIntrospection(configuration, another.access_token)).toMatchObject({
      active: true,
    });
  });
});
