import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type JWK, SignJWT } from 'jose';
import { createHmac, type KeyObject, randomUUID } from 'node:crypto';
import { remember } from './canary.js';
import { onPostgres } from './database.js';
import { eventsOf, startServer, startSibling, type TestServer } from './harness.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { keyPairFor, newKeyPair } from './key-pairs.js';
import { postForm } from './oauth.js';
import { from } from './strangers.js';

const ISSUER = 'http://localhost:3000';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let server: TestServer;
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

const seconds = () => Math.floor(Date.now() / 1_000);

/** A client that has registered the public key of its own pair. */
interface AssertingClient {
  account: TestServiceAccount;
  alg: string;
  keyId: string;
  path: string;
  privateKey: KeyObject;
  publicKey: JWK;
}

async function anAssertingClient(
  alg = 'ES256',
  { role = 'viewer', limits = {} }: { role?: string; limits?: object } = {},
): Promise<AssertingClient> {
  const account = await aServiceAccount(server, organization, { role });
  const { publicKey, privateKey } = keyPairFor(alg);
  const keys = `${account.path}/keys`;
  const made = await owner.client.post(keys, { name: 'Signed', publicKey, ...limits });
  expect(made.status).toBe(201);
  const path = `${keys}/${made.body.id}`;
  return { account, alg, keyId: made.body.id, path, privateKey, publicKey };
}

const claimsOf = ({ account }: AssertingClient) => ({
  iss: account.id,
  sub: account.id,
  aud: ISSUER,
  exp: seconds() + 60,
  iat: seconds(),
  jti: randomUUID(),
});

async function sign(client: AssertingClient, change: object = {}, header: object = {}) {
  const assertion = await new SignJWT({ ...claimsOf(client), ...change })
    .setProtectedHeader({ alg: client.alg, kid: client.keyId, ...header })
    .sign(client.privateKey);
  remember(assertion);
  return assertion;
}

const present = (assertion: string, form: Record<string, string> = {}, to = server) =>
  postForm(
    to.client,
    '/oauth/token',
    {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
      ...form,
    },
    from(),
  );

async function reasonOf({ headers }: { headers: Headers }): Promise<string> {
  const [event] = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
  return event?.event.reason;
}

describe('a key with a public key', () => {
  it('has no token, and shows what it has', async () => {
    const { publicKey, path, keyId, account } = await anAssertingClient();
    const { body } = await owner.client.get(path);
    expect(body).toMatchObject({
      id: keyId,
      type: 'publicKey',
      obfuscatedToken: null,
      publicKey,
      status: 'active',
    });
    const { body: list } = await owner.client.get(`${account.path}/keys`);
    expect(list.data.map(({ type }: { type: string }) => type)).toEqual(['publicKey', 'token']);
  });

  it('can be the first one of an account', async () => {
    const { publicKey } = keyPairFor('ES256');
    const { status, body } = await owner.client.post(`${organization.path}/service-accounts`, {
      name: `Signing ${randomUUID()}`,
      role: 'viewer',
      key: { publicKey },
    });
    expect(status).toBe(201);
    expect(body.key).toMatchObject({ type: 'publicKey', token: null, obfuscatedToken: null });
  });

  it('keeps its thumbprint on the trail, and only what belongs to a public key', async () => {
    const { publicKey } = keyPairFor('ES256');
    const account = await aServiceAccount(server, organization);
    const jwk = { ...publicKey, kid: 'mine', use: 'sig', alg: 'ES256' };
    const { headers, body } = await owner.client.post(`${account.path}/keys`, {
      name: 'Signed',
      publicKey: jwk,
    });
    const { kty, crv, x, y, alg } = jwk;
    expect(body.publicKey).toEqual({ kty, crv, x, y, alg });
    const events = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
    expect(events[0]?.event).toMatchObject({
      action: 'key.created',
      details: { publicKeyThumbprint: expect.stringMatching(/^[\w-]{43}$/) },
    });
  });

  it('takes limits like any other, and counts like one', async () => {
    const { path } = await anAssertingClient('ES256', { limits: { permissions: ['users:read'] } });
    const { status, body } = await owner.client.patch(path, { name: 'Renamed', permissions: [] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'Renamed', permissions: [], type: 'publicKey' });
    const { publicKey } = keyPairFor('ES256');
    const again = await owner.client.patch(path, { publicKey });
    expect(again.body.errors).toMatchObject([{ pointer: '/publicKey', code: 'unknown_property' }]);
  });

  describe('is refused', () => {
    const jwkOf = (type: 'ec' | 'rsa', options: object) => newKeyPair(type, options).publicKey;
    const good = jwkOf('ec', { namedCurve: 'P-256' });

    it.each<[string, unknown, string, string]>([
      [
        'a private key',
        keyPairFor('ES256').privateKey.export({ format: 'jwk' }),
        '/d',
        'private_key',
      ],
      ['a secret', { kty: 'oct', k: 'c2VjcmV0' }, '/k', 'private_key'],
      ['a weak RSA key', jwkOf('rsa', { modulusLength: 1024 }), '/n', 'too_short'],
      [
        'a small exponent',
        jwkOf('rsa', { modulusLength: 2048, publicExponent: 3 }),
        '/e',
        'too_small',
      ],
      ['another curve', jwkOf('ec', { namedCurve: 'secp256k1' }), '', 'not_allowed'],
      ['a point beside the curve', { ...good, x: good.y }, '', 'invalid_format'],
      ['half a point', { kty: 'EC', crv: 'P-256', x: good.x }, '', 'invalid_format'],
      ['a name of Object.prototype', { kty: 'EC', crv: 'toString' }, '', 'not_allowed'],
      ['a key for encryption', { ...good, use: 'enc' }, '/use', 'not_allowed'],
      ['an algorithm that does not fit', { ...good, alg: 'RS256' }, '/alg', 'not_allowed'],
      ['an algorithm of secrets', { ...good, alg: 'HS256' }, '/alg', 'not_allowed'],
      ['no object', 'ssh-ed25519 AAAA', '', 'wrong_type'],
    ])('%s', async (_name, publicKey, pointer, code) => {
      const account = await aServiceAccount(server, organization);
      const answer = await owner.client.post(`${account.path}/keys`, { name: 'Signed', publicKey });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toMatchObject([{ pointer: `/publicKey${pointer}`, code }]);
    });
  });
});

describe('private_key_jwt', () => {
  it.each(['ES256', 'ES384', 'EdDSA', 'RS256', 'PS512'])(
    'gets an access token with %s',
    async (alg) => {
      const client = await anAssertingClient(alg);
      const { status, body } = await present(await sign(client), { scope: 'users:read' });
      expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'users:read' });
      const me = await server.client.withToken(body.access_token).get('/v1/me');
      expect(me.body).toMatchObject({
        id: client.account.id,
        key: { id: client.keyId, obfuscatedToken: null },
        permissions: ['users:read'],
      });
    },
  );

  it.each([
    ['the token endpoint as audience', { aud: `${ISSUER}/oauth/token` }, {}],
    ['a list of one audience', { aud: [ISSUER] }, {}],
    ['a type', {}, { typ: 'client-authentication+jwt' }],
    ['a clock that is a little late', { exp: seconds() - 10, iat: seconds() + 3_600 - 3_600 }, {}],
    ['a clock that is a little early', { iat: seconds() + 10, nbf: seconds() + 10 }, {}],
  ])('takes %s', async (_name, change, header) => {
    const client = await anAssertingClient();
    expect((await present(await sign(client, change, header))).status).toBe(200);
  });

  it('authenticates at introspection and revocation, too', async () => {
    const client = await anAssertingClient('ES256', { role: 'verifier' });
    const asked = await aServiceAccount(server, organization);
    const form = async (token: string) => ({
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await sign(client),
      client_id: client.account.id,
      token,
    });
    const about = await postForm(server.client, '/oauth/introspect', await form(asked.token));
    expect(about.body).toMatchObject({ active: true, sub: asked.id });
    const revoked = await postForm(
      server.client,
      '/oauth/revoke',
      await form(client.account.token),
    );
    expect(revoked.status).toBe(200);
    expect((await client.account.client.get('/v1/me')).status).toBe(401);
  });

  it('is on the trail with account and key', async () => {
    const client = await anAssertingClient();
    const { headers } = await present(await sign(client));
    const events = await eventsOf(server, { requestId: headers.get('x-request-id') ?? '' });
    expect(events.map(({ event }) => event.action)).toEqual([
      'access_token.issued',
      'http.request',
    ]);
    for (const { event } of events) {
      expect(event).toMatchObject({ actor: { id: client.account.id }, key: { id: client.keyId } });
    }
  });

  describe('refuses, and the trail says why', () => {
    it.each<[string, object, object, string]>([
      ['an expired one', { exp: seconds() - 3_600 }, {}, 'assertion_expired'],
      ['one that lives long', { exp: seconds() + 3_600 }, {}, 'assertion_expiry'],
      ['one without an end', { exp: undefined }, {}, 'assertion_expiry'],
      ['one from the future', { nbf: seconds() + 500 }, {}, 'assertion_early'],
      ['another audience', { aud: 'https://other.example.com' }, {}, 'assertion_audience'],
      [
        'another audience beside this server',
        { aud: [ISSUER, 'https://other.example.com'] },
        {},
        'assertion_audience',
      ],
      ['two audiences', { aud: [ISSUER, `${ISSUER}/oauth/token`] }, {}, 'assertion_audience'],
      ['an empty list', { aud: [] }, {}, 'assertion_audience'],
      ['no audience', { aud: undefined }, {}, 'assertion_audience'],
      ['another issuer', { iss: 'sa_01h455vb4pex5vsknk084sn02q' }, {}, 'assertion_subject'],
      ['another subject', { sub: 'sa_01h455vb4pex5vsknk084sn02q' }, {}, 'assertion_subject'],
      ['no id', { jti: undefined }, {}, 'assertion_jti'],
      ['an unknown key', {}, { kid: 'key_01h455vb4pex5vsknk084sn02q' }, 'unknown'],
      ['no key', {}, { kid: undefined }, 'malformed'],
      ['the type of an access token', {}, { typ: 'at+jwt' }, 'malformed'],
    ])('%s', async (_name, change, header, reason) => {
      const answer = await present(await sign(await anAssertingClient(), change, header));
      expect(answer.status).toBe(401);
      expect(answer.body.error).toBe('invalid_client');
      expect(await reasonOf(answer)).toBe(reason);
    });

    it('another key’s signature', async () => {
      const [client, other] = [await anAssertingClient(), await anAssertingClient()];
      const answer = await present(await sign({ ...client, privateKey: other.privateKey }));
      expect([answer.status, await reasonOf(answer)]).toEqual([401, 'bad_signature']);
    });

    it('HMAC with the public key, no signature, and an algorithm that the key is not for', async () => {
      const client = await anAssertingClient();
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
      const text = (alg: string) =>
        `${encode({ alg, kid: client.keyId })}.${encode(claimsOf(client))}`;
      const mac = createHmac('sha256', JSON.stringify(client.publicKey)).update(text('HS256'));
      const hmac = await present(`${text('HS256')}.${mac.digest('base64url')}`);
      expect([hmac.status, await reasonOf(hmac)]).toEqual([401, 'assertion_algorithm']);
      const none = await present(`${text('none')}.AA`);
      expect([none.status, await reasonOf(none)]).toEqual([401, 'assertion_algorithm']);
      const bare = await present(`${text('none')}.`);
      expect([bare.status, await reasonOf(bare)]).toEqual([401, 'malformed']);
    });

    it('a key that has a token', async () => {
      const client = await anAssertingClient();
      const answer = await present(await sign(client, {}, { kid: client.account.keyId }));
      expect([answer.status, await reasonOf(answer)]).toEqual([401, 'unknown']);
    });

    it('an account’s id beside the assertion that is not its own', async () => {
      const [client, other] = [await anAssertingClient(), await anAssertingClient()];
      const answer = await present(await sign(client), { client_id: other.account.id });
      expect([answer.status, await reasonOf(answer)]).toEqual([401, 'client_mismatch']);
    });

    it('a revoked key', async () => {
      const client = await anAssertingClient();
      expect((await owner.client.delete(client.path)).status).toBe(204);
      const answer = await present(await sign(client));
      expect([answer.status, await reasonOf(answer)]).toEqual([401, 'revoked']);
    });

    it('an assertion as a bearer token', async () => {
      const client = await anAssertingClient();
      const { status } = await server.client.withToken(await sign(client)).get('/v1/me', from());
      expect(status).toBe(401);
    });
  });

  it('works once: of many at once, on both instances, one', async () => {
    const client = await anAssertingClient();
    const assertion = await sign(client);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => present(assertion, {}, n % 2 ? sibling : server)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(9).fill(401)]);
    const again = await present(assertion, {}, sibling);
    expect([again.status, await reasonOf(again)]).toEqual([401, 'assertion_replayed']);
    // The id of another key's assertion is its own.
    const other = await anAssertingClient();
    const { jti } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString());
    expect((await present(await sign(other, { jti }))).status).toBe(200);
  });

  it('answers a request whose key has been read again', async () => {
    const client = await anAssertingClient();
    const { database } = server;
    const tenant = database.tenant.bind(database);
    let isFirst = true;
    // Something else changes in the organization before the answer leaves.
    database.tenant = async (organizationId, work) => {
      const result = await tenant(organizationId, work);
      if (isFirst) {
        isFirst = false;
        const { path } = await aServiceAccount(server, organization);
        expect((await owner.client.post(`${path}/disable`)).status).toBe(200);
      }
      return result;
    };
    try {
      expect((await present(await sign(client))).status).toBe(200);
    } finally {
      database.tenant = tenant;
    }
  });
});
