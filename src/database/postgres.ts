import { Logger } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Config } from '../config.js';
import { binaryArray, type ElementType } from './binary-arrays.js';
import {
  TIMEOUTS,
  type Backend,
  type Patience,
  type RawConnection,
  type RawStatement,
} from './connections.js';
import { asDatabaseError, DatabaseUnavailableError, sqlState } from './errors.js';
import { migrate, MigrationError } from './migrate.js';
import { OneConnection, rawTypes, StatementNames, StrictClient } from './postgres-client.js';
import { beginPostgres } from './postgres-transaction.js';

/** A queue before the pool is work to be done; a server that froze must still be noticed in 3.5 s. */
const PATIENCE: Patience = { start: 2_500, whole: 3_200 };

/** Connections in the pool; the gate's own two come on top. */
const POOL_SIZE = 10;

const MIGRATION_CONNECT_MS = 5_000;
const MIGRATION_SETTINGS = `SELECT set_config('TimeZone','UTC',true), set_config('statement_timeout','0',true),
  set_config('lock_timeout','0',true), set_config('idle_in_transaction_session_timeout','0',true)`;

/** SQLSTATEs of a table that was not free in time, and of a deadlock with somebody who waits for the migration. */
const HELD = new Set(['55P03', '40P01']);
/** For five minutes: most transactions end, and meanwhile servers of an older version serve. */
const PATIENT = { attempts: 100, pauseMs: 2_000 };

/** `pg` knows the time-out of one query, its types do not. */
interface Query extends pg.QueryConfig {
  query_timeout?: number;
}

/** Opens PostgreSQL; nothing connects before the first statement. */
export function openPostgres(config: Config & { databaseUrl: string }): Backend {
  const client: pg.ClientConfig = {
    connectionString: config.databaseUrl,
    connectionTimeoutMillis: TIMEOUTS.connect,
    // The server's own time-outs are set in every transaction: PgBouncer refuses them at start-up.
    query_timeout: TIMEOUTS.query,
    keepAlive: true,
    application_name: 'claviger',
  };
  const pool = new pg.Pool({
    ...client,
    connectionTimeoutMillis: PATIENCE.start,
    max: POOL_SIZE,
    Client: StrictClient,
  });
  // An idle connection that the server closed: the pool has dropped it already.
  pool.on('error', () => undefined);
  const toQuery = (statement: RawStatement, values: unknown[]): Query => {
    const query: Query = {
      text: statement.text,
      values: statement.arrays === undefined ? values : withBinary(statement.arrays, values),
      types: rawTypes,
    };
    if (config.preparedStatements) query.name = statement.name;
    if (statement.timeoutMs !== undefined) query.query_timeout = statement.timeoutMs;
    return query;
  };
  const names = config.preparedStatements ? new StatementNames() : undefined;
  return {
    patience: PATIENCE,
    adapter: new PrismaPg(pool),
    begin: (enter) => beginPostgres(pool, enter, names),
    query: async <R extends object>(statement: RawStatement, values: unknown[]) => {
      try {
        return (await pool.query<R>(toQuery(statement, values))).rows;
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
    openConnection: () => connectAlone(client, toQuery),
    migrate: () => migratePostgres(config.directDatabaseUrl ?? config.databaseUrl),
    close: () => pool.end(),
  };
}

/**
 * Applies pending migrations on a connection of its own (`url` goes past PgBouncer where there is one)
 * without a query time-out. Where somebody holds a table that they change, they are rolled back, so that nobody waits behind
 * them, and tried again. Errors: MigrationError; DatabaseUnavailableError.
 */
export async function migratePostgres(url: string, patience = PATIENT): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await migrateOnce(url);
    } catch (error) {
      if (!HELD.has(sqlState(error) ?? '')) throw asDatabaseError(error);
      if (attempt === patience.attempts) {
        throw new MigrationError(
          'Somebody holds a table that a migration changes; nothing was changed. End what runs for long in pg_stat_activity (a backup, ' +
            'a report, a transaction that was left open), or wait for it. Then start again.',
          { cause: error },
        );
      }
      if (attempt === 1) {
        const logger = new Logger('Migrations');
        logger.warn('somebody holds a table that a migration changes; it is tried again');
      }
      await delay(patience.pauseMs);
    }
  }
}

async function migrateOnce(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: MIGRATION_CONNECT_MS,
    keepAlive: true,
    application_name: 'claviger-migrate',
  });
  client.on('error', () => undefined); // the statement in flight rejects; nothing to add here
  try {
    await client.connect().catch(refuseConnection);
    await client.query('BEGIN');
    await client.query(MIGRATION_SETTINGS);
    await migrate({
      adapter: await new PrismaPg(new OneConnection(client)).connect(),
      query: async <R extends object>(text: string) => (await client.query<R>(text)).rows,
      script: (text) => client.query(text),
    });
    await client.query('COMMIT');
  } finally {
    // Without COMMIT the server rolls back, however we leave.
    await client.end().catch(() => undefined);
  }
}

/** At the start the administrator is the reader: the reason, which holds no password, is for them. */
function refuseConnection(error: Error & { code?: string }): never {
  throw new DatabaseUnavailableError(error.message || error.code || error.name, { cause: error });
}

function withBinary(types: readonly ElementType[], values: unknown[]): unknown[] {
  return values.map((value, index) => {
    const type = types[index];
    return type === undefined ? value : binaryArray(type, value as unknown[]);
  });
}

async function connectAlone(
  config: pg.ClientConfig,
  toQuery: (statement: RawStatement, values: unknown[]) => pg.QueryConfig,
): Promise<RawConnection> {
  const client = new StrictClient(config);
  let isLost = false;
  client.on('error', () => (isLost = true));
  client.on('end', () => (isLost = true));
  try {
    await client.connect();
  } catch (error) {
    client.destroy();
    throw asDatabaseError(error);
  }
  return {
    isLost: () => isLost,
    query: async <R extends object>(statement: RawStatement, values: unknown[]) => {
      try {
        return (await client.query<R>(toQuery(statement, values))).rows;
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
    close: async () => {
      // A server that does not answer the farewell must not delay ours.
      const impatience = setTimeout(() => client.destroy(), TIMEOUTS.connect);
      try {
        await client.end();
      } catch {
        // Broken before: closed is what was asked for.
      } finally {
        clearTimeout(impatience);
      }
    },
  };
}
