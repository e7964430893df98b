import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import { runCli } from './cli.js';
import { onPostgres, testDatabase, type TestDatabase } from './database.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import { startServer } from './harness.js';
import { failToStart } from './process.js';

const PEPPER = Buffer.alloc(32, 7);
const OTHER_PEPPER = Buffer.alloc(32, 8);

let database: TestDatabase;
/** Where there is no database yet. */
let elsewhere: string;
let file: string;
beforeEach(async () => {
  database = await testDatabase({ durable: true });
  elsewhere = mkdtempSync(join(tmpdir(), 'claviger-backup-'));
  file = join(elsewhere, 'claviger.backup');
});
afterEach(async () => {
  await database.cleanup();
  rmSync(elsewhere, { recursive: true, force: true });
});

const environment = (dataDir = database.config.dataDir, pepper = PEPPER) => ({
  DATA_DIR: dataDir,
  PEPPER: pepper.toString('base64'),
});
const start = (dataDir = database.config.dataDir) => startServer({ dataDir, pepper: PEPPER });
const backUp = () => runCli(['backup', file], environment());
const restore = (dataDir: string, ...options: string[]) =>
  runCli(['restore', file, ...options], environment(dataDir));

/** What DATA_DIR has besides what every DATA_DIR may have. */
const leftIn = (dataDir: string) =>
  readdirSync(dataDir).filter((name) => /^pg/.test(name) || name.endsWith('.new'));

/** A server with an account whose key works, stopped. */
async function used() {
  const server = await start();
  const organization = await anOrganization(server);
  const owner = await aPerson(server, organization);
  const account = await aServiceAccount(server, organization, { role: 'auditor' });
  expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(200);
  await server.close();
  return { organization, owner, account };
}

async function archiveOf(entries: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, content);
  archive.finalize();
  return gzipSync(await buffer(archive));
}

(onPostgres ? describe.skip : describe)('backups of the embedded database', () => {
  it('are one file for the owner alone, from which the server goes on elsewhere', async () => {
    const { organization, account } = await used();
    const made = await backUp();
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('worth nothing without the pepper');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(elsewhere)).toEqual(['claviger.backup']);

    const target = join(elsewhere, 'data');
    const restored = await restore(target);
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(restored.stdout).toContain('needs the pepper that it was made with');
    expect(leftIn(target)).toEqual(['pg']);

    const wrong = await failToStart(environment(target, OTHER_PEPPER));
    expect(wrong.code).toBe(1);
    expect(wrong.output).toContain('The pepper is not the one this database works with');
    expect((await failToStart({ DATA_DIR: target })).output).toContain(
      `${join(target, 'pepper')} is missing`,
    );

    const server = await start(target);
    const client = server.client.withToken(account.token);
    expect((await client.get('/v1/me')).body.name).toBe(account.name);
    const { body } = await client.get(`${organization.path}/audit-events/verify`);
    expect(body).toMatchObject({ valid: true });
    expect(body.events).toBeGreaterThanOrEqual(2);
    await server.close();
  }, 120_000);

  it('are noticed where the server has worked since, and keep what was there', async () => {
    const { owner, account } = await used();
    expect((await backUp()).code).toBe(0);
    let server = await start();
    const keyPath = `${account.path}/keys/${account.keyId}`;
    expect((await server.client.withToken(owner.token).delete(keyPath)).status).toBe(204);
    await server.close();

    const { dataDir } = database.config;
    const refused = await restore(dataDir);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('--force');
    server = await start();
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(401);
    await server.close();

    const forced = await restore(dataDir, '--force');
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    const replaced = /pg\.replaced-\d{8}T\d{6}Z/.exec(forced.stdout)![0];
    expect(leftIn(dataDir)).toEqual(['pg', replaced]);
    const started = await failToStart(environment());
    expect(started.code).toBe(1);
    expect(started.output).toContain('claviger accept-restore');
    expect((await runCli(['accept-restore'], environment())).stdout).toMatch(/^Accepted for/);
    server = await start();
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(200);
    await server.close();

    // The way back from a restore that was a mistake.
    rmSync(join(dataDir, 'pg'), { recursive: true });
    renameSync(join(dataDir, replaced), join(dataDir, 'pg'));
    rmSync(join(dataDir, 'checkpoints.log'));
    server = await start();
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(401);
    await server.close();
  }, 120_000);

  it('are refused when they are cut, damaged or something else, and then nothing is touched', async () => {
    await used();
    expect((await backUp()).code).toBe(0);
    const whole = readFileSync(file);
    const target = join(elsewhere, 'data');
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 1;
    const manifest = JSON.stringify({ format: 1, createdAt: '2026-11-30T00:00:00.000Z' });
    const cases: [Buffer, string][] = [
      [whole.subarray(0, whole.length - 1), 'is cut or damaged'],
      [whole.subarray(0, whole.length >> 1), 'is cut or damaged'],
      [Buffer.alloc(0), 'is cut or damaged'],
      [damaged, 'is cut or damaged'],
      [Buffer.from('not a backup'), 'is cut or damaged'],
      [await archiveOf({ 'notes.txt': 'hello' }), 'is not a backup of Claviger'],
      [
        await archiveOf({ 'claviger-backup.json': manifest.replace('1', '2') }),
        'newer version of Claviger',
      ],
      [
        await archiveOf({ 'claviger-backup.json': manifest, 'pg/../../lock': 'x' }),
        'is not a backup of Claviger',
      ],
      [await archiveOf({ 'claviger-backup.json': manifest }), 'The database is none'],
    ];
    for (const [content, message] of cases) {
      writeFileSync(file, content);
      const refused = await restore(target, '--force');
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain(message);
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      expect(leftIn(target)).toEqual([]);
    }
    expect((await runCli(['restore', join(elsewhere, 'none')], environment(target))).stderr).toBe(
      `There is no file ${join(elsewhere, 'none')}.\n`,
    );
  }, 120_000);

  it('are not made of a database in use, nor over another file, nor of nothing', async () => {
    const server = await start();
    for (const command of ['backup', 'restore']) {
      if (command === 'restore') writeFileSync(file, 'x');
      const refused = await runCli([command, file, ...(command === 'restore' ? ['--force'] : [])], {
        ...environment(),
      });
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain('The server must be stopped for this');
      expect(refused.stderr).toContain(`process ${process.pid}`);
    }
    await server.close();
    const over = await backUp();
    expect(over).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already') });
    expect(readFileSync(file, 'utf8')).toBe('x');
    rmSync(file);
    const empty = join(elsewhere, 'data');
    const nothing = await runCli(['backup', file], environment(empty));
    expect(nothing).toMatchObject({ code: 1, stderr: `There is no database in ${empty}.\n` });
    expect(readdirSync(elsewhere)).toEqual([]);
  }, 60_000);

  it('are not made of a database that cannot be opened', async () => {
    await used();
    truncateSync(join(database.config.dataDir, 'pg/global/pg_control'), 0);
    const refused = await backUp();
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('cannot be opened');
    expect(existsSync(file)).toBe(false);
  }, 60_000);

  it('of a newer version are left to that', async () => {
    await used();
    const server = await start();
    await server.database.system(
      (tx) =>
        tx.$executeRaw`INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
          VALUES ('x', '', '29990101000000_future', now(), now(), 1)`,
    );
    await server.close();
    const refused = await backUp();
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('newer version of Claviger (migration 29990101000000_future)');
  }, 60_000);

  it('are brought to their end when the restore was killed between its last steps', async () => {
    const { account } = await used();
    const { dataDir } = database.config;
    // What is there when the old database has been moved away, and the new one is not in its place.
    renameSync(join(dataDir, 'pg'), join(dataDir, 'pg.restored'));
    const server = await start();
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(200);
    await server.close();
    expect(leftIn(dataDir)).toEqual(['pg']);
  }, 60_000);
});

(onPostgres ? it : it.skip)(
  'a PostgreSQL is left to pg_dump',
  async () => {
    const env = { ...environment(), DATABASE_URL: database.config.databaseUrl! };
    copyFileSync(import.meta.filename, file);
    for (const args of [
      ['backup', `${file}.other`],
      ['restore', file],
    ]) {
      const refused = await runCli(args, env);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('pg_dump') });
    }
  },
  60_000,
);
