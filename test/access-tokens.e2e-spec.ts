import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { createHmac, type KeyObject, randomUUID } from 'node:crypto';
import { MAX_ACCESS_TOKEN_SECONDS } from '../src/config.js';
import { DatabaseService } from '../src/database/database.service.js';
import { SigningKeysService } from '../src/signing-keys/signing-keys.service.js';
import { remember } from './canary.js';
import { onPostgres } from './database.js';
import { type Client, eventsOf, startServer, startSibling, type TestServer } from './harness.js';
import {
  aKey,
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { keyPairFor } from './key-pairs.js';
import { askForToken, postForm, withAccessToken } from './oauth.js';
import { from } from './strangers.js';

const ISSUER = 'http://localhost:3000';

let server: TestServer;
/** Another instance on the same database; PGlite has one only. */
let sibling: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1/32'] });
  sibling = onPostgres ? await startSibling(server) : server;
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
});
afterAll(async () => {
  if (sibling !== server) await sibling.close();
  await server.close();
});

const anAccount = (role = 'viewer') => aServiceAccount(server, organization, { role });
const me = (client: Client) => client.get('/v1/me', from());

describe('an access token as a bearer', () => {
  it('is its key, narrowed', async () => {
    const account = await anAccount();
    const client = await withAccessToken(server.client, account, { scope: 'users:read' });
    const { status, body } = await me(client);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'serviceAccount',
      id: account.id,
      permissions: ['users:read'],
      key: { id: account.keyId, expiresAt: null, permissions: null },
      accessToken: { id: expect.any(String), scope: ['users:read'], expiresAt: expect.any(String) },
    });
    expect((await client.get(`${organization.path}/users`)).status).toBe(200);
    expect((await client.get(`${organization.path}/roles`)).body).toMatchObject({
      code: 'insufficient_scope',
      required: 'roles:read',
    });
  });

  it('stands on the trail as the account and its key, with the token’s own id', async () => {
    const account = await anAccount();
    const client = await withAccessToken(server.client, account);
    const { headers, body } = await me(client);
    const [event] = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
    expect(event?.event).toMatchObject({
      actor: { type: 'serviceAccount', id: account.id, name: account.name },
      key: { id: account.keyId },
      details: { accessTokenId: body.accessToken.id },
    });
  });

  it('changes what its permissions let it change', async () => {
    const account = await anAccount('admin');
    const client = await withAccessToken(server.client, account, { scope: 'roles:manage' });
    const role = { key: `made-${account.id.slice(-6)}`, name: 'Made', permissions: [] };
    const retry = { 'idempotency-key': randomUUID() };
    const made = await client.post(`${organization.path}/roles`, role, retry);
    expect(made.status).toBe(201);
    expect((await client.post(`${organization.path}/roles`, role, retry)).status).toBe(201);
    // Another token of the key is another credential: nothing can be opened with it, and nothing breaks.
    const other = await withAccessToken(server.client, account, { scope: 'roles:manage' });
    expect((await other.post(`${organization.path}/roles`, role, retry)).status).toBe(409);
  });
});

/** Each change holds for the next request, on every instance, although the token was good and cached a moment before. */
describe('ends for the very next request when', () => {
  type Change = (account: TestServiceAccount, keyPath: string) => Promise<unknown>;
  const change = (path: string, body?: unknown) => owner.client.post(path, body);
  const endings: [string, Change][] = [
    ['its key is revoked', (_, keyPath) => owner.client.delete(keyPath)],
    ['its key expires', (_, keyPath) => expire(keyPath)],
    ['its account is disabled', ({ path }) => change(`${path}/disable`)],
    ['its account is deleted', ({ path }) => owner.client.delete(path)],
  ];

  it.each(endings)('%s', async (_name, end) => {
    const account = await anAccount();
    const client = await withAccessToken(server.client, account);
    const elsewhere = sibling.client.withToken(client.token);
    for (const one of [client, elsewhere, client, elsewhere]) {
      expect((await me(one)).status).toBe(200);
    }
    await end(account, `${account.path}/keys/${account.keyId}`);
    for (const one of [elsewhere, client]) expect((await me(one)).status).toBe(401);
  });

  /** Past times are not to be had by the API: a time that is near, and then passed. */
  async function expire(keyPath: string): Promise<void> {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    expect((await owner.client.patch(keyPath, { expiresAt })).status).toBe(200);
    const id = keyPath.slice(keyPath.lastIndexOf('/') + 1);
    await server.database.system(async (tx) => {
      await tx.key.update({ where: { id }, data: { expiresAt: new Date(0) } });
      await tx.$executeRaw`UPDATE audit_heads SET auth_epoch = auth_epoch + 1 WHERE chain = ${organization.id}`;
    });
  }

  it('its organization is suspended', async () => {
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const own = await anOrganization(server);
    const client = await withAccessToken(server.client, await aServiceAccount(server, own));
    const elsewhere = sibling.client.withToken(client.token);
    expect([(await me(client)).status, (await me(elsewhere)).status]).toEqual([200, 200]);
    expect((await administrator.client.post(`${own.path}/suspend`)).status).toBe(200);
    expect([(await me(elsewhere)).status, (await me(client)).status]).toEqual([401, 401]);
  });

  it('it is revoked by itself; its key and the key’s other tokens go on', async () => {
    const account = await anAccount();
    const [client, other] = [
      await withAccessToken(server.client, account),
      await withAccessToken(server.client, account),
    ];
    const elsewhere = sibling.client.withToken(client.token);
    expect([(await me(client)).status, (await me(elsewhere)).status]).toEqual([200, 200]);
    const form = { token: client.token ?? '' };
    expect((await postForm(account.client, '/oauth/revoke', form)).status).toBe(200);
    expect([(await me(elsewhere)).status, (await me(client)).status]).toEqual([401, 401]);
    // Once more changes nothing, and never touches the key.
    expect((await postForm(account.client, '/oauth/revoke', form)).status).toBe(200);
    expect([(await me(other)).status, (await me(account.client)).status]).toEqual([200, 200]);
  });

  it('its role loses the permission', async () => {
    const key = `narrowing-${randomUUID().slice(0, 8)}`;
    const permissions = ['users:read', 'roles:read'];
    const role = await owner.client.post(`${organization.path}/roles`, {
      key,
      name: key,
      permissions,
    });
    expect(role.status).toBe(201);
    const client = await withAccessToken(server.client, await anAccount(key));
    const elsewhere = sibling.client.withToken(client.token);
    const users = `${organization.path}/users`;
    for (const one of [client, elsewhere]) expect((await one.get(users)).status).toBe(200);
    const narrowed = await owner.client.patch(`${organization.path}/roles/${key}`, {
      permissions: ['roles:read'],
    });
    expect(narrowed.status).toBe(200);
    for (const one of [elsewhere, client]) expect((await one.get(users)).status).toBe(403);
    expect((await me(client)).body.permissions).toEqual(['roles:read']);
  });

  it('it comes from an address that the key may not be used from', async () => {
    const account = await anAccount();
    const key = await aKey(server, organization, account, { allowedCidrs: ['198.51.100.0/24'] });
    const near = { 'x-forwarded-for': '198.51.100.7' };
    const { body } = await postForm(
      server.client,
      '/oauth/token',
      { grant_type: 'client_credentials', client_id: account.id, client_secret: key.token },
      near,
    );
    const client = server.client.withToken(body.access_token);
    expect((await client.get('/v1/me', near)).status).toBe(200);
    const { status, body: refusal } = await client.get('/v1/me', {
      'x-forwarded-for': '203.0.113.7',
    });
    expect({ status, code: refusal.code }).toEqual({ status: 403, code: 'ip_not_allowed' });
  });
});

describe('what is no access token for this server', () => {
  let account: TestServiceAccount;
  let kid: string;
  let privateKey: KeyObject;
  const seconds = () => Math.floor(Date.now() / 1_000);

  beforeAll(async () => {
    account = await anAccount();
    ({ kid, privateKey } = await server.app.get(SigningKeysService).signer());
  });

  const claims = (): JWTPayload => ({
    iss: ISSUER,
    aud: ISSUER,
    sub: account.id,
    client_id: account.id,
    key_id: account.keyId,
    organization_id: organization.id,
    scope: 'users:read',
    jti: randomUUID(),
    iat: seconds(),
    exp: seconds() + 60,
  });
  const header = () => ({ alg: 'ES256', typ: 'at+jwt', kid });

  /** Signed with the server's own key, with whatever claims and header. */
  const forge = (change: JWTPayload = {}, inHeader: object = {}) =>
    new SignJWT({ ...claims(), ...change })
      .setProtectedHeader({ ...header(), ...inHeader })
      .sign(privateKey);

  async function outcomeOf(token: string): Promise<{ status: number; reason: string | null }> {
    remember(token);
    const { status, headers } = await me(server.client.withToken(token));
    const [event] = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
    return { status, reason: event?.event.reason };
  }

  it('begins with one that is', async () => {
    expect(await outcomeOf(await forge())).toEqual({ status: 200, reason: null });
  });

  it.each<[string, () => JWTPayload, string]>([
    ['has expired', () => ({ exp: seconds() - 1 }), 'access_token_expired'],
    ['is for another audience', () => ({ aud: 'https://reports.example.com' }), 'other_audience'],
    [
      'is for others, this server not among them',
      () => ({ aud: ['urn:a', `${ISSUER}/`] }),
      'other_audience',
    ],
    ['has another issuer', () => ({ iss: 'https://evil.example.com' }), 'malformed'],
    ['has another subject', () => ({ sub: 'sa_01h455vb4pex5vsknk084sn02q' }), 'malformed'],
    ['has no expiry', () => ({ exp: undefined }), 'malformed'],
    [
      'lives longer than any is made',
      () => ({ iat: seconds() - 1, exp: seconds() + MAX_ACCESS_TOKEN_SECONDS }),
      'malformed',
    ],
    ['lives for ever', () => ({ iat: -1e308, exp: 1e308 }), 'malformed'],
    ['has no id', () => ({ jti: undefined }), 'malformed'],
  ])('%s', async (_name, change, reason) => {
    expect(await outcomeOf(await forge(change()))).toEqual({ status: 401, reason });
  });

  it('was made for another API: it is good there, and not here', async () => {
    const resource = 'https://reports.example.com';
    const { body } = await askForToken(server.client, account, { resource });
    expect(await outcomeOf(body.access_token)).toEqual({ status: 401, reason: 'other_audience' });
    const verifier = await anAccount('verifier');
    const asked = await postForm(verifier.client, '/oauth/introspect', {
      token: body.access_token,
    });
    expect(asked.body).toMatchObject({ active: true, aud: resource, sub: account.id });
  });

  it('was tampered with', async () => {
    const [head = '', payload = '', signature = ''] = (await forge()).split('.');
    const more = {
      ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
      scope: 'users:manage',
    };
    const changed = Buffer.from(JSON.stringify(more)).toString('base64url');
    expect(await outcomeOf(`${head}.${changed}.${signature}`)).toEqual({
      status: 401,
      reason: 'bad_signature',
    });
    const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect((await outcomeOf(`${head}.${payload}.${flipped}`)).reason).toBe('bad_signature');
    expect((await outcomeOf(`${head}.${payload}.`)).reason).toBe('malformed');
    expect((await outcomeOf(`${head}.${payload}`)).reason).toBe('malformed');
  });

  it('confuses algorithms: none, HMAC with the public key, another curve', async () => {
    const unsecured = new UnsecuredJWT(claims()).encode();
    expect((await outcomeOf(unsecured)).reason).toBe('malformed');
    const { body: jwks } = await server.client.get('/.well-known/jwks.json');
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const text = `${encode({ ...header(), alg: 'HS256' })}.${encode(claims())}`;
    const secret = JSON.stringify(jwks.keys[0]);
    const mac = createHmac('sha256', secret).update(text).digest('base64url');
    expect((await outcomeOf(`${text}.${mac}`)).reason).toBe('malformed');
    const { privateKey: other } = await generateKeyPair('ES384');
    const es384 = await new SignJWT(claims())
      .setProtectedHeader({ ...header(), alg: 'ES384' })
      .sign(other);
    expect((await outcomeOf(es384)).reason).toBe('malformed');
  });

  it('brings its own key: in the header, under a known id, or under an invented one', async () => {
    const own = keyPairFor('ES256');
    const jwk = own.publicKey;
    const sign = (inHeader: object) =>
      new SignJWT(claims()).setProtectedHeader({ ...header(), ...inHeader }).sign(own.privateKey);
    expect((await outcomeOf(await sign({ jwk }))).reason).toBe('bad_signature');
    const jku = 'https://evil.example.com/jwks.json';
    expect((await outcomeOf(await sign({ jku }))).reason).toBe('bad_signature');
    const invented = await sign({ kid: 'A'.repeat(43), jwk });
    expect((await outcomeOf(invented)).reason).toBe('unknown_signing_key');
    const path = await sign({ kid: '../../etc/passwd' });
    expect((await outcomeOf(path)).reason).toBe('malformed');
    expect((await outcomeOf(await forge({}, { kid: undefined }))).reason).toBe('malformed');
  });

  it('is another kind of JWT', async () => {
    expect((await outcomeOf(await forge({}, { typ: 'JWT' }))).reason).toBe('malformed');
    expect((await outcomeOf(await forge({}, { typ: undefined }))).reason).toBe('malformed');
  });

  it('costs one small query for an invented key id, and none for a bad signature', async () => {
    const database = server.app.get(DatabaseService);
    const raw = database.raw.bind(database);
    const names: string[] = [];
    database.raw = (statement, values) => {
      names.push(statement.name);
      return raw(statement, values);
    };
    try {
      const own = await generateKeyPair('ES256');
      for (let n = 0; n < 20; n += 1) {
        const kids = [kid, `${'B'.repeat(41)}${String(n).padStart(2, '0')}`];
        for (const one of kids) {
          const token = await new SignJWT(claims())
            .setProtectedHeader({ ...header(), kid: one })
            .sign(own.privateKey);
          expect((await me(server.client.withToken(token))).status).toBe(401);
        }
      }
    } finally {
      database.raw = raw;
    }
    expect(names.filter((name) => name === 'verification_keys')).toHaveLength(20);
    expect(names.filter((name) => name.startsWith('credential_'))).toEqual([]);
  });
});
