import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries, startPrivatePostgres } from '../scripts/private-postgres.mjs';
import { onPostgres, testDatabase, type TestDatabase } from './database.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import { startServer } from './harness.js';
import { failToStart } from './process.js';

/** Where pg_dump is; undefined where the commands of the documentation cannot be run, which is said. */
const binaries = onPostgres ? installed() : undefined;

function installed(): string | undefined {
  try {
    const folder = findBinaries();
    if (existsSync(join(folder, 'pg_dump'))) return folder;
  } catch {
    // Said below.
  }
  process.stderr.write('SKIPPED: there is no pg_dump, so backups of PostgreSQL are not tested\n');
  return undefined;
}

/** The shell commands under "PostgreSQL" in "Backups", in their order. */
function documented(): { dump: string; prepare: string; restore: string } {
  const text = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8');
  const section = /^## Backups\n[^]*?^### PostgreSQL\n([^]*?)^## /m.exec(text)![1]!;
  const blocks = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].map((block) => block[1]!);
  const [dump, prepare, restore] = blocks as [string, string, string];
  expect(blocks).toHaveLength(3);
  return { dump, prepare, restore };
}

const pepper = Buffer.alloc(32, 7);

(binaries === undefined ? describe.skip : describe)('a dump of PostgreSQL', () => {
  let database: TestDatabase;
  let target: Awaited<ReturnType<typeof startPrivatePostgres>>;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'claviger-dump-'));
    target = await startPrivatePostgres();
    database = await testDatabase();
  }, 60_000);
  afterAll(async () => {
    await database?.cleanup();
    target?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function shell(script: string, env: Record<string, string>) {
    const PATH = [binaries, process.env.PATH].join(delimiter);
    return promisify(execFile)('sh', ['-euc', script], { cwd: folder, env: { PATH, ...env } });
  }

  /** A server of nobody's yet, as an administrator of it sees it. */
  async function anEmptyServer(): Promise<string> {
    await shell(`psql "$ADMIN_URL" --command='DROP ROLE claviger'`, {
      ADMIN_URL: target.superuserUrl,
    });
    await shell(documented().prepare, { ADMIN_URL: target.superuserUrl });
    const url = new URL(target.url);
    url.pathname = '/claviger';
    return url.href;
  }

  it('goes on elsewhere by the documented commands, and is noticed when it is older', async () => {
    const source = await startServer({ ...database.config, pepper });
    const organization = await anOrganization(source);
    const owner = await aPerson(source, organization);
    const account = await aServiceAccount(source, organization, { role: 'auditor' });
    expect((await source.client.withToken(account.token).get('/v1/me')).status).toBe(200);
    const { dump, restore } = documented();
    // Nobody has stopped the server.
    await shell(dump, { DATABASE_URL: database.config.databaseUrl! });
    const file = join(folder, 'claviger.dump');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const keyPath = `${account.path}/keys/${account.keyId}`;
    expect((await source.client.withToken(owner.token).delete(keyPath)).status).toBe(204);

    const databaseUrl = await anEmptyServer();
    const env = { DATABASE_URL: databaseUrl };
    copyFileSync(file, `${file}.whole`);
    truncateSync(file, statSync(file).size >> 1);
    await expect(shell(restore, env)).rejects.toThrow('pg_restore');
    copyFileSync(`${file}.whole`, file);
    await shell(restore, env);

    const dataDir = join(folder, 'data');
    const restored = await startServer({ databaseUrl, dataDir, pepper });
    const client = restored.client.withToken(account.token);
    expect((await client.get('/v1/me')).body.name).toBe(account.name);
    const { body } = await client.get(`${organization.path}/audit-events/verify`);
    expect(body).toMatchObject({ valid: true });
    expect(body.events).toBeGreaterThanOrEqual(2);
    // Row-level security came along.
    const others = await restored.database.tenant('org_of_nobody', (tx) => tx.key.count());
    expect(others).toBe(0);
    await restored.close();

    const wrong = Buffer.alloc(32, 8).toString('base64');
    const refused = await failToStart({ ...env, PEPPER: wrong });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('The pepper is not the one');
    // The checkpoints of the old server, which it signs when it stops, know of the revocation.
    await source.close();
    const noticed = await failToStart({
      ...env,
      PEPPER: pepper.toString('base64'),
      DATA_DIR: database.config.dataDir,
    });
    expect(noticed.code).toBe(1);
    expect(noticed.output).toContain(`${organization.id}: event`);
    expect(noticed.output).toContain('claviger accept-restore');
  }, 120_000);
});
