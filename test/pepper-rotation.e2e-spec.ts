import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Config } from '../src/config.js';
import { Pepper } from '../src/crypto/pepper.js';
import { newId } from '../src/crypto/id.js';
import { createToken } from '../src/crypto/token.js';
import { PepperRotation } from '../src/maintenance/pepper-rotation.js';
import { remember } from './canary.js';
import { onPostgres, testDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
  type TestServiceAccount,
} from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { askForToken } from './oauth.js';
import { failToStart } from './process.js';

const OLD = randomBytes(32);
const NEW = randomBytes(32);
for (const pepper of [OLD, NEW]) remember(pepper.toString('base64'));

const WITH_OLD = { pepper: OLD };
const ROTATING = { pepper: NEW, pepperPrevious: OLD };
const WITH_NEW = { pepper: NEW };

let made: TestDatabase;
const open: TestServer[] = [];

beforeEach(async () => {
  made = await testDatabase({ durable: true });
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
  await made.cleanup();
});

async function start(config: Partial<Config>): Promise<TestServer> {
  const server = await startServer({ ...made.config, ...config });
  open.push(server);
  return server;
}

/** Ends whatever runs, and starts it with other peppers. */
async function restart(config: Partial<Config>): Promise<TestServer> {
  for (const server of open.splice(0)) await server.close();
  return start(config);
}

const keyOf = (server: TestServer, id: string) =>
  server.database.system((tx) => tx.key.findUniqueOrThrow({ where: { id } }));

const instanceOf = (server: TestServer) =>
  server.database.system((tx) => tx.instance.findUniqueOrThrow({ where: { id: 1 } }));

async function statusOf(server: TestServer, token: string): Promise<number> {
  return (await server.client.withToken(token).get('/v1/me')).status;
}

/** When the token of a key is stored under the pepper of this version. */
const moved = (server: TestServer, id: string, version: number) =>
  eventually(async () => {
    const row = await keyOf(server, id);
    return row.pepperVersion === version ? row : undefined;
  });

const rotations = async (server: TestServer) =>
  (await eventsOf(server, { action: 'instance.pepper_rotated' })).map(({ event }) => event.details);

async function isIntact(server: TestServer, { path }: TestOrganization, token: string) {
  const { body } = await server.client.withToken(token).get(`${path}/audit-events/verify`);
  return body.valid === true && body.events > 0;
}

let organization: TestOrganization;
let owner: TestPerson;
let account: TestServiceAccount;

async function fill(server: TestServer): Promise<void> {
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
  account = await aServiceAccount(server, organization, { role: 'admin' });
}

describe('a new PEPPER, with the one before in PEPPER_PREVIOUS', () => {
  it('lets tokens of before in, moves them, and says when the one before can go', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    const unused = await aServiceAccount(server, organization);
    const before = await keyOf(server, account.keyId);

    server = await restart(ROTATING);
    expect(server.logs()).toContain('still under PEPPER_PREVIOUS: 2 keys, 1 sessions;');
    expect(await statusOf(server, account.token)).toBe(200);
    const after = await moved(server, account.keyId, 2);
    const tokenHash = new Uint8Array(new Pepper(NEW).hash('key', account.token));
    const { lastUsedAt, lastUsedIp } = after;
    expect(after).toEqual({ ...before, pepperVersion: 2, tokenHash, lastUsedAt, lastUsedIp });
    const forged = createToken(server.instance.tokenPrefix, 'key', unused.keyId);
    expect(await statusOf(server, forged)).toBe(401);

    expect(await statusOf(server, owner.token)).toBe(200);
    await eventually(async () => {
      await server.app.get(PepperRotation).look();
      return server.logs().includes('still under PEPPER_PREVIOUS: 1 keys;') ? true : undefined;
    });
    expect((await server.client.get('/metrics')).body).toContain(
      'claviger_previous_pepper_count{kind="keys"} 1\n',
    );
    expect(await statusOf(server, unused.token)).toBe(200);
    await moved(server, unused.keyId, 2);
    await server.app.get(PepperRotation).look();
    expect(server.logs()).toContain('nothing is left under PEPPER_PREVIOUS: it can be removed');
    expect((await server.client.get('/metrics')).body).toContain(
      'claviger_previous_pepper_count{kind="keys"} 0\n',
    );
    expect(await rotations(server)).toEqual([{ version: 2, previousVersion: 1 }]);

    server = await restart(WITH_NEW);
    for (const token of [account.token, unused.token, owner.token]) {
      expect(await statusOf(server, token)).toBe(200);
    }
    expect(server.logs()).not.toContain('PEPPER_PREVIOUS');
    expect(await rotations(server)).toHaveLength(1);
  });

  it('leaves behind what is not used until it is gone, and says so', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    await restart(ROTATING);
    server = await restart(WITH_NEW);
    expect(await statusOf(server, account.token)).toBe(401);
    expect(await statusOf(server, owner.token)).toBe(401);
    expect(server.logs()).toContain(
      'refused, because PEPPER_PREVIOUS is not set: 1 keys, 1 sessions',
    );
    server = await restart(ROTATING);
    expect(await statusOf(server, account.token)).toBe(200);
  });

  it('lets tokens in that work once', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    const guest = { email: 'guest@example.com', name: 'Guest', role: 'viewer' };
    const { body: invited } = await owner.client.post(`${organization.path}/invitations`, guest);
    const id = newId('rst');
    const reset = createToken(server.instance.tokenPrefix, 'reset', id);
    remember(reset);
    await server.database.system((tx) =>
      tx.passwordReset.create({
        data: {
          ...{ id, userId: owner.id, pepperVersion: 1, expiresAt: new Date(Date.now() + 60_000) },
          tokenHash: new Uint8Array(server.instance.pepper.hash('reset', reset)),
        },
      }),
    );
    server = await restart(ROTATING);
    const password = 'another long enough passphrase';
    const accepted = await server.client.post('/v1/invitations/accept', {
      ...{ token: invited.token, password },
    });
    expect(accepted.status).toBe(200);
    const confirmed = { token: reset, password };
    expect((await server.client.post('/v1/password-resets/confirm', confirmed)).status).toBe(204);
  });

  it('keeps what hangs on the secret: trail, checkpoints, cursors, kept answers', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    const { path } = organization;
    const role = { key: 'once', name: 'Once', permissions: [] };
    const retry = { 'idempotency-key': 'once' };
    await account.client.post(`${path}/roles`, role, retry);
    const { body: page } = await account.client.get(`${path}/roles?limit=1`);
    expect(await isIntact(server, organization, owner.token)).toBe(true);
    const { sealedSecret } = await instanceOf(server);

    server = await restart(ROTATING);
    expect((await instanceOf(server)).sealedSecret).not.toEqual(sealedSecret);
    const client = server.client.withToken(account.token);
    const again = await client.post(`${path}/roles`, role, retry);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    const { after } = page.paging.next;
    expect((await client.get(`${path}/roles?limit=1&after=${after}`)).status).toBe(200);
    expect(await isIntact(server, organization, owner.token)).toBe(true);
    await moved(server, account.keyId, 2);

    server = await restart(WITH_NEW);
    expect(await isIntact(server, organization, owner.token)).toBe(true);
    const { body } = await server.client
      .withToken(owner.token)
      .get(`${path}/audit-events/checkpoints`);
    const keys = body.data.map(({ key }: { key: string }) => key);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
  });

  it('keeps access tokens, and what signs them', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    const { body: before } = await askForToken(server.client, account);
    server = await restart(ROTATING);
    expect(await statusOf(server, before.access_token)).toBe(200);
    expect((await askForToken(server.client, account)).status).toBe(200);
    await moved(server, account.keyId, 2);
    server = await restart(WITH_NEW);
    expect(await statusOf(server, before.access_token)).toBe(200);
    const { body: after } = await askForToken(server.client, account);
    expect(await statusOf(server, after.access_token)).toBe(200);
    const kids = [before, after].map(({ access_token: token }) => String(token).split('.')[0]);
    expect(new Set(kids).size).toBe(1);
  });

  it('can be gone back on', async () => {
    let server = await start(WITH_OLD);
    await fill(server);
    const other = await aServiceAccount(server, organization);
    server = await restart(ROTATING);
    expect(await statusOf(server, account.token)).toBe(200);
    await moved(server, account.keyId, 2);
    server = await restart({ pepper: OLD, pepperPrevious: NEW });
    expect(server.logs()).toContain('still under PEPPER_PREVIOUS: 1 keys;');
    for (const token of [account.token, other.token]) {
      expect(await statusOf(server, token)).toBe(200);
    }
    await moved(server, account.keyId, 1);
    server = await restart(WITH_OLD);
    for (const token of [account.token, other.token]) {
      expect(await statusOf(server, token)).toBe(200);
    }
    expect(await rotations(server)).toHaveLength(2);
  });

  it('works on a database from before there was a secret, whose trail goes on', async () => {
    let server = await start(WITH_OLD);
    await server.database.system((tx) => tx.$executeRaw`UPDATE instance SET sealed_secret = NULL`);
    server = await restart(WITH_OLD);
    const secret = (one: TestServer) => one.instance.secret.derive('audit-seal');
    expect(secret(server)).toEqual(new Pepper(OLD).derive('audit-seal'));
    expect((await instanceOf(server)).sealedSecret).not.toBeNull();
    await fill(server);
    expect(await statusOf(server, account.token)).toBe(200);
    server = await restart(ROTATING);
    expect(await isIntact(server, organization, owner.token)).toBe(true);
    server = await restart(ROTATING);
    expect(await isIntact(server, organization, owner.token)).toBe(true);
    expect(secret(server)).toEqual(new Pepper(OLD).derive('audit-seal'));
  });
});

describe('a PEPPER that the database does not know', () => {
  const environment = (peppers: Record<string, Buffer>): Record<string, string> => ({
    DATA_DIR: made.config.dataDir,
    ...(made.config.databaseUrl === undefined ? {} : { DATABASE_URL: made.config.databaseUrl }),
    ...Object.fromEntries(
      Object.entries(peppers).map(([name, bytes]) => [name, bytes.toString('base64')]),
    ),
  });

  it.each<[string, Record<string, Buffer>, string]>([
    ['alone', { PEPPER: NEW }, 'The pepper is not the one'],
    [
      'beside a PEPPER_PREVIOUS that it does not know either',
      { PEPPER: NEW, PEPPER_PREVIOUS: randomBytes(32) },
      'Neither PEPPER nor PEPPER_PREVIOUS is the pepper',
    ],
  ])('is refused %s', async (_how, peppers, message) => {
    const before = await instanceOf(await start(WITH_OLD));
    await open.pop()?.close();
    const { code, output } = await failToStart(environment(peppers));
    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(await instanceOf(await start(WITH_OLD))).toEqual(before);
  });
});

/** PGlite has one process: there is nobody to come after. */
(onPostgres ? describe : describe.skip)(
  'instances that get the new pepper one after the other',
  () => {
    it('let each other’s tokens in, and undo nothing', async () => {
      const first = await start({ pepper: OLD, pepperPrevious: NEW });
      await fill(first);
      expect(first.logs()).toContain('this server replaces neither');
      const second = await start(ROTATING);
      const newest = await aServiceAccount(second, organization);
      const later = await aServiceAccount(first, organization);
      for (const token of [account.token, newest.token, later.token]) {
        expect(await statusOf(second, token)).toBe(200);
        expect(await statusOf(first, token)).toBe(200);
      }
      for (const { keyId } of [account, newest, later]) await moved(second, keyId, 2);
      // Read from the database, and found to be under the other pepper, by the instance that would like to move it back.
      const { status } = await first.client.withToken(account.token).post('/v1/me/key/rotate', {});
      expect(status).toBe(201);
      expect((await keyOf(first, account.keyId)).pepperVersion).toBe(2);
      expect(await isIntact(first, organization, owner.token)).toBe(true);
      expect(await isIntact(second, organization, owner.token)).toBe(true);
    });
  },
);
