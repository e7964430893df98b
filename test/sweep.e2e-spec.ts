import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { newId } from '../src/crypto/id.js';
import { EXPIRING } from '../src/maintenance/expiring.js';
import { Sweeper } from '../src/maintenance/sweeper.js';
import { onPostgres, testDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import {
  anOrganization,
  aPerson,
  aServiceAccount,
  type TestOrganization,
  type TestPerson,
} from './factories.js';
import { eventsOf, startServer, startSibling, type TestServer } from './harness.js';

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds);
/** What stays must stay for a while: the databases' clocks are this machine's. */
const MINUTE = 60 * SECOND;
/** Kept by everybody who looks at it, however old. */
const NEVER_SWEPT = ['keys'];

let made: TestDatabase;
let server: TestServer;
let organization: TestOrganization;
let owner: TestPerson;

beforeEach(async () => {
  made = await testDatabase({ durable: true });
  server = await startServer(made.config);
  organization = await anOrganization(server);
  owner = await aPerson(server, organization);
});
afterEach(async () => {
  await server.close();
  await made.cleanup();
});

const sweep = (one = server) => one.app.get(Sweeper).sweep();
const bytes = () => new Uint8Array(randomBytes(32));

function count(table: string): Promise<number> {
  return server.database.system(async (tx) => {
    const [row] = await tx.$queryRawUnsafe<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM ${table}`,
    );
    return row!.count;
  });
}

/** Answers kept for retries that nobody gets any more. */
function expiredAnswers(number: number): Promise<unknown> {
  const data = Array.from({ length: number }, () => ({
    organizationId: organization.id,
    credentialId: owner.sessionId,
    keyHash: bytes(),
    fingerprint: bytes(),
    answer: bytes(),
    expiresAt: ago(SECOND),
  }));
  return server.database.system((tx) => tx.idempotencyRecord.createMany({ data }));
}

/** How to make a row of each table that is so much older than its time. */
function makers(keyId: string): Record<string, (by: number) => Promise<unknown>> {
  const { database } = server;
  const organizationId = organization.id;
  const token = { tokenHash: bytes(), pepperVersion: 1 };
  const creator = { createdByType: 'system', createdByName: 'Claviger' };
  return {
    idempotency_records: (by) =>
      database.system((tx) =>
        tx.idempotencyRecord.create({
          data: {
            ...{ organizationId, credentialId: keyId, keyHash: bytes(), fingerprint: bytes() },
            ...{ answer: bytes(), expiresAt: ago(by) },
          },
        }),
      ),
    used_assertions: (by) =>
      database.system((tx) =>
        tx.usedAssertion.create({
          data: { organizationId, keyId, jtiHash: bytes(), expiresAt: ago(by) },
        }),
      ),
    revoked_access_tokens: (by) =>
      database.system((tx) =>
        tx.revokedAccessToken.create({
          data: { organizationId, jti: randomUUID(), expiresAt: ago(by) },
        }),
      ),
    attempt_counters: (by) =>
      database.system((tx) =>
        tx.attemptCounter.create({ data: { keyHash: bytes(), count: 1, endsAt: ago(by) } }),
      ),
    password_resets: (by) =>
      database.system((tx) =>
        tx.passwordReset.create({
          data: { id: newId('rst'), userId: owner.id, ...token, expiresAt: ago(by) },
        }),
      ),
    setup_tokens: (by) =>
      database.system((tx) =>
        tx.setupToken.create({ data: { id: newId('stp'), ...token, expiresAt: ago(by) } }),
      ),
    sessions: (by) =>
      database.system((tx) =>
        tx.session.create({
          data: {
            ...{ id: newId('ses'), userId: owner.id, ...token, ip: '127.0.0.1' },
            expiresAt: ago(by + 7 * DAY),
          },
        }),
      ),
    invitations: (by) =>
      database.system((tx) =>
        tx.invitation.create({
          data: {
            ...{ organizationId, id: newId('inv'), userId: owner.id, email: owner.email },
            ...{ roleKey: 'viewer', ...token, ...creator, expiresAt: ago(by + 90 * DAY) },
            revokedAt: ago(by + 90 * DAY),
          },
        }),
      ),
    key_usage: (by) =>
      database.system((tx) =>
        tx.keyUsage.create({
          data: {
            ...{ organizationId, keyId, day: ago(by > 0 ? 90 * DAY : 89 * DAY) },
            ...{ route: 'GET /v1/me', ip: '192.0.2.1', client: 'curl', requests: 1, refused: 0 },
          },
        }),
      ),
  };
}

describe('the sweep', () => {
  it('takes from each table what is past its time, and nothing before', async () => {
    const account = await aServiceAccount(server, organization);
    const make = makers(account.keyId);
    expect(Object.keys(make)).toEqual(EXPIRING.map(({ table }) => table));
    const before = await Promise.all(EXPIRING.map(({ table }) => count(table)));
    for (const one of Object.values(make)) {
      await one(SECOND);
      await one(-MINUTE);
    }
    expect(await sweep()).toBe('done');
    const after = await Promise.all(EXPIRING.map(({ table }) => count(table)));
    expect(after).toEqual(before.map((rows) => rows + 1));
    expect(server.logs()).toContain(
      `expired, and taken away: ${EXPIRING.map(({ table }) => `1 ${table}`).join(', ')}`,
    );
    const { body } = await server.client.get('/metrics');
    for (const { table } of EXPIRING) {
      expect(body).toContain(`claviger_swept_rows_total{table="${table}"} 1\n`);
    }
    expect(body).toContain('claviger_sweeps_total{outcome="done"} 2\n');
  });

  it('knows every table whose rows have an end', async () => {
    const tables = await server.database.system(
      (tx) => tx.$queryRaw<{ name: string }[]>`
        SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name IN ('expires_at', 'ends_at')`,
    );
    const known = [...EXPIRING.map(({ table }) => table), ...NEVER_SWEPT];
    expect(known).toEqual(expect.arrayContaining(tables.map(({ name }) => name)));
    expect(tables.length).toBeGreaterThan(6);
  });

  it('leaves what is shown or told although it has expired', async () => {
    const { path } = organization;
    const guest = { email: 'late@example.com', name: 'Late', role: 'viewer' };
    const { body: invited } = await owner.client.post(`${path}/invitations`, guest);
    const over = await aPerson(server, organization);
    await server.database.system(async (tx) => {
      await tx.invitation.update({
        where: { id: invited.id },
        data: { expiresAt: ago(400 * DAY) },
      });
      await tx.session.update({ where: { id: over.sessionId }, data: { expiresAt: ago(DAY) } });
    });
    await sweep();
    const { body: shown } = await owner.client.get(`${path}/invitations?status=expired`);
    expect(shown.data.map(({ id }: { id: string }) => id)).toEqual([invited.id]);
    const resent = await owner.client.post(`${path}/invitations/${invited.id}/resend`, {});
    expect(resent.status).toBe(200);
    const refused = await over.client.get('/v1/me');
    const requestId = refused.headers.get('x-request-id')!;
    const [event] = await eventsOf(server, { requestId });
    expect([refused.status, event!.event.reason]).toEqual([401, 'session_expired']);
  });

  it('leaves an answer to its retry for as long as it was promised', async () => {
    const role = { key: 'kept', name: 'Kept', permissions: [] };
    const headers = { 'idempotency-key': 'kept' };
    const roles = `${organization.path}/roles`;
    await owner.client.post(roles, role, headers);
    await sweep();
    const again = await owner.client.post(roles, role, headers);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  });

  it('goes on until all is gone, in batches', async () => {
    await expiredAnswers(1_100);
    expect(await sweep()).toBe('done');
    expect(await count('idempotency_records')).toBe(0);
    expect(server.logs()).toContain('expired, and taken away: 1100 idempotency_records');
  });

  it('passes over a table that fails, says so, and the server goes on', async () => {
    await expiredAnswers(1);
    const rename = (from: string, to: string) =>
      server.database.system((tx) => tx.$executeRawUnsafe(`ALTER TABLE ${from} RENAME TO ${to}`));
    await rename('attempt_counters', 'elsewhere');
    await makers('')['password_resets']!(SECOND);
    expect(await sweep()).toBe('failed');
    await rename('elsewhere', 'attempt_counters');
    // One before and one behind it.
    expect([await count('idempotency_records'), await count('password_resets')]).toEqual([0, 0]);
    expect(server.logs()).toContain('attempt_counters could not be swept');
    expect((await owner.client.get('/v1/me')).status).toBe(200);
    expect(await sweep()).toBe('done');
  });

  it('runs at the start, and about every hour', async () => {
    await expiredAnswers(3);
    await server.close();
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const isHourly = ([, wait = 0]: unknown[]) =>
      (wait as number) >= 45 * MINUTE && (wait as number) <= 75 * MINUTE;
    try {
      server = await startServer(made.config);
      const gone = async () => ((await count('idempotency_records')) === 0 ? true : undefined);
      await eventually(gone);
      const [again] = await eventually(() => Promise.resolve(timers.mock.calls.find(isHourly)));
      await expiredAnswers(3);
      timers.mockClear();
      again();
      await eventually(gone);
      await eventually(() => Promise.resolve(timers.mock.calls.find(isHourly)));
    } finally {
      timers.mockRestore();
    }
  });
});

/** PGlite has one connection: there, nobody can be at it at the same time. */
(onPostgres ? describe : describe.skip)('of two instances', () => {
  it('one sweeps at a time: the other leaves it to that one', async () => {
    const sibling = await startSibling(server);
    try {
      await sweep(sibling);
      await expiredAnswers(1);
      await server.database.system(async (tx) => {
        await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended('claviger:sweep', 0))::text`;
        expect(await sweep(sibling)).toBe('elsewhere');
      });
      expect(await count('idempotency_records')).toBe(1);
      expect(await sweep(sibling)).toBe('done');
      expect(await count('idempotency_records')).toBe(0);
    } finally {
      await sibling.close();
    }
  });

  it('none waits for a row that somebody holds', async () => {
    await expiredAnswers(2);
    await server.database.system(async (tx) => {
      await tx.$queryRaw`SELECT key_hash FROM idempotency_records LIMIT 1 FOR UPDATE`;
      expect(await sweep()).toBe('done');
    });
    expect(await count('idempotency_records')).toBe(1);
    expect(await sweep()).toBe('done');
    expect(await count('idempotency_records')).toBe(0);
  });
});
