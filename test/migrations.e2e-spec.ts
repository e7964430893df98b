import { afterEach, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { DatabaseService, DatabaseUnavailableError } from '../src/database/database.service.js';
import { migrateEmbedded } from '../src/database/embedded.js';
import { DataDirLockedError } from '../src/database/lock.js';
import { MigrationError } from '../src/database/migrate.js';
import { migratePostgres } from '../src/database/postgres.js';
import { databaseConfig, emptyDatabase, onPostgres, onServer, testDatabase } from './database.js';
import { eventually } from './eventually.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'prisma/migrations');

/** What stands in `_prisma_migrations`. */
const ROWS = `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs, applied_steps_count AS steps
  FROM _prisma_migrations ORDER BY migration_name`;

/** An empty database on either backend. */
interface EmptyDatabase {
  migrate(): Promise<void>;
  query(text: string): Promise<unknown[]>;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function anEmptyDatabase(): Promise<EmptyDatabase> {
  if (!onPostgres) {
    const pglite = await PGlite.create();
    cleanups.push(() => pglite.close());
    return {
      migrate: () => migrateEmbedded(pglite),
      query: async (text) => (await pglite.query(text)).rows,
    };
  }
  const { url, cleanup } = await emptyDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  cleanups.push(cleanup, () => client.end());
  return {
    migrate: () => migratePostgres(url),
    query: async (text) => (await client.query<object>(text)).rows,
  };
}

function expectedRows(): unknown[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(join(FOLDER, name, 'migration.sql'));
      const checksum = createHash('sha256').update(sql).digest('hex');
      return { name, checksum, finished: true, logs: null, steps: 1 };
    });
}

describe('migrations', () => {
  it('leave the rows and checksums of `prisma migrate deploy`, and do nothing the second time', async () => {
    const database = await anEmptyDatabase();
    await database.migrate();
    await database.migrate();
    expect(await database.query(ROWS)).toEqual(expectedRows());
  });

  it('that fail leave nothing behind, and succeed when the reason is gone', async () => {
    const database = await anEmptyDatabase();
    // Near the end of the first migration, so that there is something to leave behind.
    const inTheWay = 'FUNCTION audit_refuse_change()';
    await database.query(`CREATE ${inTheWay} RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'`);
    const failing = database.migrate();
    await expect(failing).rejects.toThrow(MigrationError);
    await expect(failing).rejects.toThrow('"audit_refuse_change" already exists');
    const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    expect(await database.query(tables)).toEqual([]);
    await database.query(`DROP ${inTheWay}`);
    await database.migrate();
    expect(await database.query(ROWS)).toEqual(expectedRows());
  });

  it('do not touch a database that belongs to something else', async () => {
    const database = await anEmptyDatabase();
    await database.query('CREATE TABLE orders (id int)');
    await expect(database.migrate()).rejects.toThrow('a database of its own');
  });

  it('that failed under another program are not passed over', async () => {
    const database = await anEmptyDatabase();
    await database.migrate();
    await database.query(
      "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('1', '', '20990101000000_broken', now())",
    );
    const refused = database.migrate();
    await expect(refused).rejects.toThrow(MigrationError);
    await expect(refused).rejects.toThrow('resolve --rolled-back 20990101000000_broken');
    await database.query(
      "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '20990101000000_broken' AND finished_at IS NULL",
    );
    await database.migrate();
  });

  it('and schema.prisma say the same', () => {
    const script = join(ROOT, 'scripts/new-migration.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

(onPostgres ? describe.skip : describe)('the embedded database', () => {
  it('keeps its rows over a restart, and admits one process at a time', async () => {
    const made = await testDatabase({ durable: true });
    cleanups.push(made.cleanup);
    const first = new DatabaseService(databaseConfig(made));
    await first.open();
    await first.system((tx) =>
      tx.user.create({ data: { id: 'usr_1', email: 'a@b.c', name: 'A' } }),
    );
    await expect(new DatabaseService(databaseConfig(made)).open()).rejects.toThrow(
      DataDirLockedError,
    );
    await first.close();
    const second = new DatabaseService(databaseConfig(made));
    await second.open();
    expect(await second.system((tx) => tx.user.count())).toBe(1);
    await second.close();
  });
});

(onPostgres ? describe : describe.skip)('on PostgreSQL', () => {
  it('several instances that start at once migrate once', async () => {
    const { url, cleanup } = await emptyDatabase();
    cleanups.push(cleanup);
    await Promise.all([1, 2, 3].map(() => migratePostgres(url)));
    const client = new pg.Client({ connectionString: url });
    cleanups.push(() => client.end());
    await client.connect();
    expect((await client.query(ROWS)).rows).toEqual(expectedRows());
  });

  describe('a migration of a table that somebody reads for long', () => {
    /** The migration is pending again. */
    const UNDONE = `ALTER TABLE instance DROP COLUMN previous_pepper_check, DROP COLUMN previous_pepper_version, DROP COLUMN sealed_secret;
      DELETE FROM _prisma_migrations WHERE migration_name = '20261130000011_pepper_rotation'`;
    const WAITING = `SELECT 1 FROM pg_stat_activity
      WHERE application_name = 'claviger-migrate' AND datname = current_database() AND wait_event_type = 'Lock'`;

    async function aDatabaseWithAReader() {
      const { url, directUrl, cleanup } = await emptyDatabase();
      cleanups.push(cleanup);
      await migratePostgres(url);
      const [reader, other] = [1, 2].map(() => new pg.Client({ connectionString: directUrl }));
      for (const client of [reader!, other!]) {
        await client.connect();
        cleanups.push(() => client.end());
      }
      await reader!.query(UNDONE);
      await reader!.query('BEGIN');
      await reader!.query('SELECT 1 FROM instance');
      return { url, reader: reader!, other: other! };
    }

    it('lets others through before their patience ends, and goes on when the table is free', async () => {
      const { url, reader, other } = await aDatabaseWithAReader();
      const migrating = migratePostgres(url, { attempts: 100, pauseMs: 50 });
      await eventually(async () => (await other.query(WAITING)).rowCount === 1 || undefined);
      // A request's statement has 2.5 s (src/database/connections.ts).
      await other.query("SET statement_timeout = '2.5s'");
      await other.query('SELECT 1 FROM instance');
      await reader.query('COMMIT');
      await migrating;
      expect((await other.query(ROWS)).rows).toEqual(expectedRows());
    });

    it('gives up after a while, changes nothing and says what to look for', async () => {
      const { url, reader, other } = await aDatabaseWithAReader();
      const refused = migratePostgres(url, { attempts: 2, pauseMs: 1 });
      await expect(refused).rejects.toThrow(MigrationError);
      await expect(refused).rejects.toThrow('pg_stat_activity');
      await reader.query('COMMIT');
      expect((await other.query(ROWS)).rowCount).toBe(expectedRows().length - 1);
    });
  });

  it('a login that may not make the role is told what the administrator must do', async () => {
    // Migrations go past a pooler, which does not know the login either.
    const { directUrl: url, cleanup } = await emptyDatabase();
    const login = `claviger-"limited"-${randomUUID().slice(0, 8)}`;
    const quoted = `"${login.replaceAll('"', '""')}"`;
    await onServer(`CREATE ROLE ${quoted} LOGIN PASSWORD 'limited'`);
    const limited = new URL(url);
    limited.username = encodeURIComponent(login);
    limited.password = 'limited';
    const database = limited.pathname.slice(1);
    await onServer(`GRANT ${quoted} TO CURRENT_USER`);
    await onServer(`ALTER DATABASE "${database}" OWNER TO ${quoted}`);
    cleanups.push(() => onServer(`DROP ROLE ${quoted}`), cleanup);
    const refused = migratePostgres(limited.href);
    await expect(refused).rejects.toThrow(MigrationError);
    await expect(refused).rejects.toThrow('CREATE ROLE claviger_app NOLOGIN;');
    await expect(refused).rejects.toThrow(`GRANT claviger_app TO ${quoted};`);
    await onServer(`GRANT claviger_app TO ${quoted}`);
    await migratePostgres(limited.href);
  });

  it('a database of another encoding is refused', async () => {
    const name = `claviger-latin-${randomUUID().slice(0, 8)}`;
    const { url, cleanup } = await emptyDatabase();
    cleanups.push(cleanup);
    await onServer(
      `CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
    cleanups.push(() => onServer(`DROP DATABASE "${name}" WITH (FORCE)`));
    const latin = new URL(url);
    latin.pathname = `/${name}`;
    const refused = migratePostgres(latin.href);
    await expect(refused).rejects.toThrow(MigrationError);
    await expect(refused).rejects.toThrow('UTF8');
  });

  it('a database that is not there is named', async () => {
    const { url, cleanup } = await emptyDatabase();
    await cleanup();
    const refused = migratePostgres(url);
    await expect(refused).rejects.toThrow(DatabaseUnavailableError);
    await expect(refused).rejects.toThrow(`"${new URL(url).pathname.slice(1)}" does not exist`);
  });

  it('a server that is not there is an unavailable database', async () => {
    const config = { databaseUrl: 'postgres://nobody@127.0.0.1:1/none', dataDir: '' };
    const opening = new DatabaseService(databaseConfig({ config })).open();
    await expect(opening).rejects.toThrow(DatabaseUnavailableError);
    await expect(opening).rejects.toThrow('ECONNREFUSED 127.0.0.1:1');
  });
});
