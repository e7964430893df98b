import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { VerificationKeys } from '../src/auth/verification-keys.js';
import { SigningKeysService } from '../src/signing-keys/signing-keys.service.js';
import { sqlState } from '../src/database/errors.js';
import { onPostgres } from './database.js';
import { eventually } from './eventually.js';
import {
  type Answer,
  type Client,
  eventsOf,
  startServer,
  startSibling,
  type TestServer,
} from './harness.js';
import { anOrganization, aPerson, aServiceAccount, type TestServiceAccount } from './factories.js';
import { askForToken } from './oauth.js';

let server: TestServer;
/** Another instance on the same database; PGlite has one only. */
let sibling: TestServer;
let account: TestServiceAccount;
let administrator: Client;

beforeEach(async () => {
  server = await startServer();
  sibling = onPostgres ? await startSibling(server) : server;
  account = await aServiceAccount(server, await anOrganization(server));
  administrator = (await aPerson(server, null, { instanceAdministrator: true })).client;
});
afterEach(async () => {
  if (sibling !== server) await sibling.close();
  await server.close();
});

const published = async (from = server): Promise<string[]> =>
  (await from.client.get('/.well-known/jwks.json')).body.keys.map(
    ({ kid }: { kid: string }) => kid,
  );

async function aToken(from = server): Promise<{ token: string; kid: string }> {
  const { status, body } = await askForToken(from.client, account);
  expect(status).toBe(200);
  const token: string = body.access_token;
  return { token, kid: decodeProtectedHeader(token).kid ?? '' };
}

const meStatus = async (token: string, at = server) =>
  (await at.client.withToken(token).get('/v1/me')).status;

const list = async () => (await administrator.get('/v1/signing-keys')).body.data;

/** Lets time pass: everything that the table knows lies so much further back. */
async function pass(interval: string): Promise<void> {
  await server.database.system((tx) =>
    tx.$executeRawUnsafe(`UPDATE signing_keys SET created_at = created_at - interval '${interval}',
      signs_from = signs_from - interval '${interval}', signs_until = signs_until - interval '${interval}',
      verifies_until = verifies_until - interval '${interval}'`),
  );
  passSeconds();
}

/** The seconds for which an instance shows the keys without another look. */
function passSeconds(): void {
  for (const { app } of [server, sibling]) app.get(VerificationKeys).refresh();
}

describe('signing keys', () => {
  it('begin with one, published before anybody asks for a token, on all instances the same', async () => {
    const [kid, ...more] = await published();
    expect(more).toEqual([]);
    expect(await published(sibling)).toEqual([kid]);
    expect((await aToken()).kid).toBe(kid);
    expect((await aToken(sibling)).kid).toBe(kid);
    expect(await list()).toMatchObject([{ kid, status: 'signing', signsUntil: null }]);
  });

  it('are made once, however many need the first one at once', async () => {
    await server.database.system((tx) => tx.signingKey.deleteMany());
    const services = [server, sibling].map(({ app }) => app.get(SigningKeysService));
    const signers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => services[n % 2]!.signer()),
    );
    expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1);
    expect(await published()).toHaveLength(1);
  });

  it('are stored sealed: neither the row nor the API shows the private key', async () => {
    const [row] = await server.database.system((tx) => tx.signingKey.findMany());
    const { privateKey } = await server.app.get(SigningKeysService).signer();
    const { d = '' } = privateKey.export({ format: 'jwk' });
    const secret = Buffer.from(d, 'base64url');
    expect(Buffer.from(row?.sealedPrivateKey ?? []).includes(secret)).toBe(false);
    const shown = JSON.stringify([
      await list(),
      row?.publicKey,
      await server.client.get('/.well-known/jwks.json'),
    ]);
    expect(shown).not.toContain(d);
  });

  it('are nobody’s who works for one organization, nor are used assertions', async () => {
    const { id } = await anOrganization(server);
    for (const table of ['signing_keys', 'used_assertions']) {
      const look = server.database.tenant(id, (tx) => tx.$queryRawUnsafe(`SELECT * FROM ${table}`));
      expect(sqlState(await look.catch((error: unknown) => error))).toBe('42501');
    }
  });

  it('rotate by age without a gap, in either direction', async () => {
    const old = await aToken();
    await pass('91 days');
    // The next one is published when somebody asks; the old one signs on.
    expect((await aToken()).kid).toBe(old.kid);
    const keys = await published();
    expect(keys).toHaveLength(2);
    const next = keys.find((kid) => kid !== old.kid);
    // A verifier that fetches the keys now, and never again, knows all that will be needed.
    const jwks = createRemoteJWKSet(new URL(`${sibling.url}/.well-known/jwks.json`), {
      cooldownDuration: Infinity,
      cacheMaxAge: Infinity,
    });
    await jwks.reload();
    expect((await list()).map(({ status }: { status: string }) => status)).toEqual([
      'next',
      'signing',
    ]);
    // Nobody makes another one meanwhile.
    await Promise.all(Array.from({ length: 5 }, () => aToken(sibling)));
    expect(await published()).toHaveLength(2);
    await pass('59 minutes');
    expect((await aToken()).kid).toBe(old.kid);
    const last = await aToken(sibling);
    await pass('2 minutes');
    for (const from of [server, sibling]) {
      const { token, kid } = await aToken(from);
      expect(kid).toBe(next);
      await jwtVerify(token, jwks);
      for (const at of [server, sibling]) expect(await meStatus(token, at)).toBe(200);
    }
    await jwtVerify(last.token, jwks);
    expect(await meStatus(last.token)).toBe(200);
    await pass('1 hour');
    expect(await published()).toContain(old.kid);
    await pass('30 minutes');
    expect(await published()).toEqual([next]);
  });

  it('forget private keys that sign no more', async () => {
    const { kid } = await aToken();
    await pass('91 days');
    await aToken();
    await pass('2 hours');
    await server.app.get(SigningKeysService).onApplicationBootstrap();
    const row = await server.database.system((tx) => tx.signingKey.findUnique({ where: { kid } }));
    expect(row?.sealedPrivateKey).toBeNull();
  });
});

describe('POST /v1/signing-keys/rotate', () => {
  it('publishes the next key, which signs an hour later', async () => {
    const old = await aToken();
    const { status, body, headers } = await administrator.post('/v1/signing-keys/rotate');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'next', signsUntil: null, algorithm: 'ES256' });
    expect(Date.parse(body.signsFrom) - Date.parse(body.createdAt)).toBe(3_600_000);
    expect((await published()).sort()).toEqual([old.kid, body.kid].sort());
    expect((await aToken(sibling)).kid).toBe(old.kid);
    expect(await meStatus(old.token)).toBe(200);
    const requestId = headers.get('x-request-id') ?? '';
    const [event] = await eventsOf(server, { requestId, action: 'signing_key.created' });
    expect(event).toMatchObject({ chain: 'system' });
    expect(event?.event.targets).toEqual([{ type: 'signingKey', id: body.kid, name: body.kid }]);
    const again = await administrator.post('/v1/signing-keys/rotate', {});
    expect(again.body).toMatchObject({ status: 409, code: 'rotation_pending' });
    await pass('61 minutes');
    expect((await aToken()).kid).toBe(body.kid);
    expect(await meStatus(old.token, sibling)).toBe(200);
  });

  it('ends all tokens at once with revokeOld, on every instance', async () => {
    const old = await aToken();
    await administrator.post('/v1/signing-keys/rotate');
    for (const at of [server, sibling, server, sibling]) {
      expect(await meStatus(old.token, at)).toBe(200);
    }
    const answer = await administrator.post('/v1/signing-keys/rotate', { revokeOld: true });
    expect(answer.body).toMatchObject({ status: 'signing' });
    for (const at of [sibling, server]) expect(await meStatus(old.token, at)).toBe(401);
    expect(await published()).toEqual([answer.body.kid]);
    passSeconds();
    expect(await published(sibling)).toEqual([answer.body.kid]);
    // The key itself goes on, and what it gets now is good.
    const fresh = await aToken(sibling);
    expect(fresh.kid).toBe(answer.body.kid);
    expect(await meStatus(fresh.token)).toBe(200);
    expect((await list()).map(({ status }: { status: string }) => status).sort()).toEqual([
      'revoked',
      'revoked',
      'signing',
    ]);
    const revoked = await eventsOf(server, { action: 'signing_key.revoked' });
    expect(revoked).toHaveLength(2);
    const left = await server.database.system((tx) =>
      tx.signingKey.count({ where: { sealedPrivateKey: { not: null } } }),
    );
    expect(left).toBe(1);
  });

  // On PGlite one transaction waits for the other anyway.
  (onPostgres ? it : it.skip)(
    'lets no organization begin meanwhile, whose cached tokens it would not end',
    async () => {
      let rotation: Promise<Answer> | undefined;
      let creation: Promise<Answer> | undefined;
      let isCreated = false;
      await server.database.system(async (tx) => {
        await tx.$queryRaw`SELECT chain FROM audit_heads WHERE chain <> 'system' FOR UPDATE`;
        rotation = administrator.post('/v1/signing-keys/rotate', { revokeOld: true });
        const locks = (where: string) =>
          tx.$queryRawUnsafe<object[]>(
            `SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ${where}`,
          );
        const some = async (where: string) => (await locks(where)).length > 0 || undefined;
        await eventually(() =>
          some(`locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted`),
        );
        creation = sibling.client
          .withToken(administrator.token)
          .post('/v1/organizations', { name: 'Late' })
          .finally(() => (isCreated = true));
        await eventually(
          async () => isCreated || (await some(`locktype = 'advisory' AND NOT granted`)),
        );
        expect(isCreated).toBe(false);
      });
      expect((await rotation)?.status).toBe(200);
      expect((await creation)?.status).toBe(201);
    },
  );

  it('is for instance administrators', async () => {
    const owner = await aPerson(server, await anOrganization(server));
    for (const client of [owner.client, account.client]) {
      expect((await client.get('/v1/signing-keys')).status).toBe(403);
      expect((await client.post('/v1/signing-keys/rotate', {})).status).toBe(403);
    }
    expect((await server.client.get('/v1/signing-keys')).status).toBe(401);
    const wrong = await administrator.post('/v1/signing-keys/rotate', { revokeOld: 'yes' });
    expect(wrong.status).toBe(400);
  });
});
