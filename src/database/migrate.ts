import type { SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import { asDatabaseError } from './errors.js';
import { applyMigrations, migrationNames } from './schema-engine.js';

/** The database cannot be brought to this version; the message says what to do. Nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** The engine's code for tables without a record of migrations. */
const SCHEMA_NOT_EMPTY = 'P3005';

/**
 * How long a migration waits for a table that somebody else holds, in milliseconds. Whoever comes after it waits behind it, so it
 * is shorter than what requests wait for.
 */
const LOCK_TIMEOUT_MS = 1_000;

/** The one transaction in which everything happens. */
export interface MigrationTransaction {
  adapter: SqlDriverAdapter;
  query<R extends object>(text: string): Promise<R[]>;
  /** Several statements at once, separated by semicolons. */
  script(text: string): Promise<unknown>;
}

/**
 * Applies pending migrations inside one open transaction, all of them or none, after checking the
 * server. The transaction takes the advisory lock that `prisma migrate deploy` takes too: of several
 * instances that start at once, one migrates and the others wait. The rows of `_prisma_migrations`
 * are the engine's own. A table that somebody else holds is waited for only briefly. Errors: {@link MigrationError}; the caller
 * rolls back.
 */
export async function migrate(transaction: MigrationTransaction): Promise<void> {
  await checkServer(transaction);
  if ((await pendingMigrations(transaction)).length === 0) return;
  // The engine takes this very lock, but gives up after 10 s.
  await transaction.query('SELECT pg_advisory_xact_lock(72707369)');
  await transaction.query(`SELECT set_config('lock_timeout','${LOCK_TIMEOUT_MS}',true)`);
  let failure: unknown;
  const adapter = transaction.adapter;
  const executeRaw = adapter.executeRaw.bind(adapter);
  // The engine locks for the session, which behind PgBouncer is nobody's; ours ends with the transaction.
  adapter.executeRaw = (query) =>
    executeRaw({ ...query, sql: query.sql.replace('pg_advisory_lock', 'pg_advisory_xact_lock') });
  // The adapters cut scripts at every semicolon or do not wait for them.
  adapter.executeScript = async (script) => {
    try {
      await transaction.script(script);
    } catch (error) {
      failure ??= error;
      throw error;
    }
  };
  try {
    await applyMigrations(adapter);
  } catch (error) {
    throw explain(failure ?? error);
  }
  const pending = await pendingMigrations(transaction);
  if (pending.length > 0) throw new MigrationError(`not applied: ${pending.join(', ')}`);
}

async function checkServer(transaction: MigrationTransaction): Promise<void> {
  const [server] = await transaction.query<{ version: string; number: number; encoding: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, current_setting('server_encoding') AS encoding",
  );
  if (server === undefined || server.number < 150_000) {
    throw new MigrationError(
      `PostgreSQL 15 or newer is needed; the server is ${server?.version ?? 'of unknown version'}.`,
    );
  }
  if (server.encoding !== 'UTF8') {
    throw new MigrationError(
      `The database must have the encoding UTF8; it has ${server.encoding}. ` +
        "Make another one: CREATE DATABASE claviger ENCODING 'UTF8' TEMPLATE template0;",
    );
  }
}

interface MigrationRow {
  migration_name: string;
  finished: boolean;
  rolled_back: boolean;
}

/** What this version has and the database has not. Errors: a migration failed earlier. */
async function pendingMigrations(transaction: MigrationTransaction): Promise<string[]> {
  const [table] = await transaction.query<{ exists: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists",
  );
  const rows = table?.exists
    ? await transaction.query<MigrationRow>(
        'SELECT migration_name, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled_back FROM _prisma_migrations',
      )
    : [];
  const failed = rows.find((row) => !row.finished && !row.rolled_back);
  if (failed) throw failedEarlier(failed.migration_name);
  const applied = rows.filter((row) => row.finished && !row.rolled_back);
  return migrationNames().filter(
    (name) => !applied.some(({ migration_name: done }) => done === name),
  );
}

function failedEarlier(name: string): MigrationError {
  const literal = `'${name.replaceAll("'", "''")}'`;
  return new MigrationError(
    `The migration ${name} was begun earlier, by another program, and did not finish. See what it left behind; then either ` +
      `undo that and run \`prisma migrate resolve --rolled-back ${name}\` ` +
      `(or: UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = ${literal} AND finished_at IS NULL;), ` +
      `or complete it by hand and run \`prisma migrate resolve --applied ${name}\`. Then start again.`,
  );
}

function explain(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const login = /claviger_role_missing: (.*)/.exec(text)?.[1];
  if (login !== undefined) {
    const identifier = `"${login.replaceAll('"', '""')}"`;
    return new MigrationError(
      `The database login ${login} may not make the role that tenants' work runs as. An administrator of the database runs:\n` +
        `  CREATE ROLE claviger_app NOLOGIN;\n  GRANT claviger_app TO ${identifier};\nThen start again.`,
      { cause: error },
    );
  }
  if ((error as { code?: unknown } | undefined)?.code === SCHEMA_NOT_EMPTY) {
    return new MigrationError(
      'The database holds tables of something else. Give Claviger a database of its own.',
      { cause: error },
    );
  }
  const known = asDatabaseError(error);
  if (known !== error) return known;
  return new MigrationError(`A migration failed, nothing was changed: ${text}`, { cause: error });
}
