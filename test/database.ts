import { PGlite } from '@electric-sql/pglite';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Config } from '../src/config.js';
import { MEMORY, migrateEmbedded } from '../src/database/embedded.js';
import { migratePostgres } from '../src/database/postgres.js';

/** Where the tests' databases are: PostgreSQL when TEST_DATABASE_URL names a login that may create them. */
const SERVER_URL = process.env.TEST_DATABASE_URL;
/** A PgBouncer before that server, through which the servers under test go (scripts/test-pgbouncer.mjs). */
const POOLER_URL = process.env.TEST_POOLER_URL;

/** A migrated database of one's own. */
export interface TestDatabase {
  /** What a Config needs to reach it. */
  config: { databaseUrl?: string; dataDir: string };
  cleanup: () => Promise<void>;
}

/** Whether the tests run on PostgreSQL; else on the embedded database. */
export const onPostgres = SERVER_URL !== undefined;

/**
 * A migrated database for one spec file (or test), quick to make. On PGlite it lives in memory, so that
 * every DatabaseService opened with this config has one of its own and closing loses it; with `durable`
 * it is a folder, which can be closed and opened again (half a second slower).
 */
export async function testDatabase({ durable = false } = {}): Promise<TestDatabase> {
  const dump = await template();
  const directory = mkdtempSync(join(tmpdir(), 'claviger-data-'));
  const removeDirectory = (): void => rmSync(directory, { recursive: true, force: true });
  if (SERVER_URL !== undefined) {
    const database = await emptyDatabase(runName());
    const cleanup = async (): Promise<void> => {
      await database.cleanup();
      removeDirectory();
    };
    return { config: { databaseUrl: database.url, dataDir: directory }, cleanup };
  }
  const cleanup = (): Promise<void> => Promise.resolve(removeDirectory());
  if (!durable) return { config: { dataDir: MEMORY + dump }, cleanup };
  const loadDataDir = new Blob([await readFile(dump)]);
  await (await PGlite.create({ dataDir: join(directory, 'pg'), loadDataDir })).close();
  return { config: { dataDir: directory }, cleanup };
}

/**
 * A database on TEST_DATABASE_URL's server, not migrated unless made from another. `url` is for the servers under test,
 * `directUrl` for whoever looks on and holds locks meanwhile.
 */
export async function emptyDatabase(
  from = 'template0',
): Promise<{ url: string; directUrl: string; cleanup: () => Promise<void> }> {
  const name = `${runName()}_${randomUUID().slice(0, 8)}`;
  await onServer(`CREATE DATABASE "${name}" TEMPLATE "${from}"`);
  return {
    url: databaseUrl(name, POOLER_URL),
    directUrl: databaseUrl(name),
    cleanup: () => onServer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
  };
}

/** Everything else of a Config, for a service that needs nothing but its database. */
export function databaseConfig({ config }: Pick<TestDatabase, 'config'>): Config {
  return {
    port: 0,
    host: '127.0.0.1',
    publicUrl: 'http://127.0.0.1',
    trustedProxies: [],
    logLevel: 'silent',
    preparedStatements: process.env.PREPARED_STATEMENTS !== 'false',
    corsOrigins: [],
    accessTokenSeconds: 300,
    workers: 1,
    ...config,
  };
}

/** One statement on the server's own database. */
export async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER_URL });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function templateDirectory(): string {
  const directory = process.env.TEST_TEMPLATE_DIR;
  if (directory === undefined) throw new Error('test/database-setup.js has not run');
  return directory;
}

function runName(): string {
  return basename(templateDirectory()).toLowerCase();
}

function databaseUrl(name: string, server = SERVER_URL): string {
  const url = new URL(server ?? SERVER_URL ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

/** Makes the run's migrated template, once for all workers; answers the path of PGlite's dump. */
async function template(): Promise<string> {
  const directory = templateDirectory();
  const done = join(directory, 'template');
  const failed = join(directory, 'failed');
  try {
    mkdirSync(join(directory, 'making'));
  } catch {
    // Another worker makes it.
    while (!existsSync(done)) {
      if (existsSync(failed)) throw new Error('another worker could not make the template');
      await delay(50);
    }
    return done;
  }
  try {
    const content = SERVER_URL === undefined ? await migratedDump() : await migratedDatabase();
    writeFileSync(`${done}.new`, content);
    renameSync(`${done}.new`, done);
  } catch (error) {
    writeFileSync(failed, '');
    throw error;
  }
  return done;
}

async function migratedDump(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  await migrateEmbedded(pglite);
  const dump = await pglite.dumpDataDir('none');
  await pglite.close();
  return new Uint8Array(await dump.arrayBuffer());
}

async function migratedDatabase(): Promise<string> {
  await onServer(`CREATE DATABASE "${runName()}" TEMPLATE template0 ENCODING 'UTF8'`);
  await migratePostgres(databaseUrl(runName()));
  return '';
}
