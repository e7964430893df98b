import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { emptyDatabase, onPostgres } from './database.js';
import type { Client } from './harness.js';
import { failToStart, killLeftovers, type ServerProcess, startProcess } from './process.js';

/** Several processes on one database. PGlite has exactly one process by design: there, only the lock is tested. */
const describeOnPostgres = onPostgres ? describe : describe.skip;

const ADMIN = {
  ADMIN_EMAIL: 'ada@example.com',
  ADMIN_PASSWORD: 'a long enough passphrase',
  ORGANIZATION_NAME: 'Acme',
};

afterAll(killLeftovers);

async function logIn(server: ServerProcess): Promise<{ client: Client; path: string }> {
  const { body } = await server.client.post('/v1/sessions', {
    email: ADMIN.ADMIN_EMAIL,
    password: ADMIN.ADMIN_PASSWORD,
  });
  return {
    client: server.client.withToken(body.token),
    path: `/v1/organizations/${body.organizations[0].id}`,
  };
}

describeOnPostgres('two processes on one PostgreSQL', () => {
  let first: ServerProcess;
  let second: ServerProcess;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let env: Record<string, string>;

  beforeAll(async () => {
    database = await emptyDatabase();
    env = {
      DATABASE_URL: database.url,
      PEPPER: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'warn',
      TRUSTED_PROXIES: '127.0.0.1',
      ...ADMIN,
    };
    // At once, on an empty database: it is migrated, and has its administrator, exactly once.
    [first, second] = await Promise.all([startProcess(env), startProcess(env)]);
  });
  afterAll(async () => {
    await Promise.all([first?.stop(), second?.stop()]);
    await database?.cleanup();
  });

  it('have one schema, one administrator and one organization after starting at once', async () => {
    const client = new pg.Client(database.directUrl);
    await client.connect();
    const { rows } = await client.query(`SELECT
      (SELECT count(*)::int FROM _prisma_migrations) AS migrations,
      (SELECT count(*)::int FROM _prisma_migrations WHERE finished_at IS NULL) AS unfinished,
      (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM organizations) AS organizations`);
    await client.end();
    expect(rows[0].migrations).toBeGreaterThan(0);
    expect(rows[0]).toMatchObject({ unfinished: 0, users: 1, organizations: 1 });
  });

  it('refuse a key in the very next request after the other one revoked it, 200 times under load', async () => {
    const { client, path } = await logIn(first);
    // The load is more than the usual limit lets through.
    await client.patch(path, { settings: { requestsPerMinute: 1_000_000 } });
    const { body } = await client.post(`${path}/service-accounts`, {
      name: 'Busy',
      role: 'viewer',
    });
    const keys = `${path}/service-accounts/${body.serviceAccount.id}/keys`;
    const busy = second.client.withToken(body.key.token);
    let isLoading = true;
    const failures: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (isLoading) {
        const { status } = await busy.get('/v1/me');
        if (status !== 200) failures.push(status);
      }
    });
    const statuses = new Map<number, number>();
    for (let round = 0; round < 200; round += 1) {
      const created = await client.post(keys, { name: `Key ${round}` });
      expect(created.status).toBe(201);
      const holder = second.client.withToken(created.body.token);
      // Twice, so that the second process has it in its cache when it is revoked through the first.
      expect((await holder.get('/v1/me')).status).toBe(200);
      expect((await holder.get('/v1/me')).status).toBe(200);
      expect((await client.delete(`${keys}/${created.body.id}`)).status).toBe(204);
      // Refused from many addresses: from a single one it would be a flood.
      const { status } = await holder.get('/v1/me', { 'x-forwarded-for': `192.0.2.${round}` });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    isLoading = false;
    await Promise.all(load);
    expect(failures).toEqual([]);
    expect([...statuses]).toEqual([[401, 200]]);
    const verification = await client.get(`${path}/audit-events/verify?limit=100000`);
    expect(verification.body.valid).toBe(true);
  }, 120_000);

  it('refuse another pepper', async () => {
    const { code, output } = await failToStart({
      ...env,
      PEPPER: randomBytes(32).toString('base64'),
    });
    expect(code).toBe(1);
    expect(output).toContain('The pepper is not the one this database works with');
    expect(output).not.toContain('    at ');
  });
});

describe('a second process on the same data directory', () => {
  it('exits with 1 and says who holds it; after a kill the lock is taken over', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-instances-'));
    const env = { DATA_DIR: directory, LOG_LEVEL: 'warn', ...ADMIN };
    try {
      const holder = await startProcess(env);
      const { client } = await logIn(holder);
      const { code, output } = await failToStart(env);
      expect(code).toBe(1);
      expect(output).toContain(String(holder.pid));
      expect(output).not.toContain('    at ');
      await holder.stop('SIGKILL');
      const successor = await startProcess(env);
      // What was acknowledged before the kill is there: the session still works.
      expect((await successor.client.withToken(client.token).get('/v1/me')).status).toBe(200);
      expect(await successor.stop()).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);
});

describe('a start that cannot be', () => {
  it('lists every fault of the configuration in one message', async () => {
    const { code, output } = await failToStart({ PORT: 'x', WORKERS: '4', LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    for (const name of ['PORT', 'WORKERS', 'LOG_LEVEL']) expect(output).toContain(name);
    expect(output).not.toContain('    at ');
  });
});
