import { PrismaPg } from '@prisma/adapter-pg';
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
import { asDatabaseError, DatabaseUnavailableError } from './errors.js';
import { migrate } from './migrate.js';

/** A queue before the pool is work to be done; a server that froze must still be noticed in 3.5 s. */
const PATIENCE: Patience = { start: 2_500, whole: 3_200 };

/** Connections in the pool; the gate's own two come on top. */
const POOL_SIZE = 10;

const MIGRATION_CONNECT_MS = 5_000;
const MIGRATION_SETTINGS = `SELECT set_config('TimeZone','UTC',true), set_config('statement_timeout','0',true),
  set_config('lock_timeout','0',true), set_config('idle_in_transaction_session_timeout','0',true)`;

const { INT8 } = pg.types.builtins;
const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;
const parseTextArray = pg.types.getTypeParser(TEXT_ARRAY as never) as (
  text: string,
) => (string | null)[];

/** int8 as bigint; everything else as `pg` reads it. */
const rawTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === (INT8 as number)) return BigInt;
    if (oid === INT8_ARRAY) {
      return (text: string) =>
        parseTextArray(text).map((item) => (item === null ? null : BigInt(item)));
    }
    // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- a parser of any type
    return pg.types.getTypeParser(oid, format);
  },
};

/** `pg` knows the time-out of one query, its types do not. */
interface Query extends pg.QueryConfig {
  query_timeout?: number;
}

/** `query` once more for our own use: `pg` overloads it eight times. */
type AnyQuery = (config: unknown, values?: unknown, callback?: unknown) => Promise<pg.QueryResult>;

/**
 * A `pg` client without two traps. A statement that timed out on this side leaves the connection
 * waiting for the server, so the connection is destroyed and whatever comes after fails at once. And
 * a COMMIT that the server answers with ROLLBACK, because a statement before it had failed, is an
 * error instead of a success.
 */
export class StrictClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const query = super.query.bind(this) as AnyQuery;
    const strict: AnyQuery = (config, values, callback) => {
      const pending: unknown = query(config, values, callback);
      return pending instanceof Promise
        ? this.check(config, pending as Promise<pg.QueryResult>)
        : (pending as Promise<pg.QueryResult>);
    };
    this.query = strict as pg.Client['query'];
  }

  private async check(config: unknown, pending: Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    try {
      const result = await pending;
      const text = typeof config === 'string' ? config : (config as pg.QueryConfig).text;
      if (text === 'COMMIT' && result.command === 'ROLLBACK') {
        throw Object.assign(new Error('the transaction was rolled back instead of committed'), {
          code: '25P02',
          severity: 'ERROR',
        });
      }
      return result;
    } catch (error) {
      if (error instanceof Error && error.message === 'Query read timeout') this.destroy();
      throw error;
    }
  }

  /** Cuts the connection without a word to the server. */
  destroy(): void {
    (this as unknown as { connection: pg.Connection }).connection.stream.destroy();
  }
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
  return {
    patience: PATIENCE,
    adapter: new PrismaPg(
      pool,
      config.preparedStatements ? { statementNameGenerator: new StatementNames().of } : {},
    ),
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
 * without a query time-out. Errors: MigrationError; DatabaseUnavailableError.
 */
export async function migratePostgres(url: string): Promise<void> {
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
  } catch (error) {
    throw asDatabaseError(error);
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

/** Statements of Prisma that are named: those of the code, and not what lists of many lengths could make. */
const MAX_NAMED = 1_000;

/** Names for Prisma's statements: with one, the server parses and plans a statement once a connection. */
class StatementNames {
  private readonly names = new Map<string, string>();

  /** The name of a statement; the empty one, which nothing is kept under, where there are too many. */
  readonly of = ({ sql }: { sql: string }): string => {
    let name = this.names.get(sql);
    if (name === undefined) {
      if (this.names.size >= MAX_NAMED) return '';
      name = `prisma_${this.names.size}`;
      this.names.set(sql, name);
    }
    return name;
  };
}

/** A pool, as Prisma's adapter wants it, that is a single connection. */
class OneConnection extends pg.Pool {
  constructor(client: pg.Client) {
    super();
    const query = client.query.bind(client) as AnyQuery;
    this.query = query as pg.Pool['query'];
  }
}

async function connectAlone(
  config: pg.ClientConfig,
  toQuery: (statement: RawStatement, values: unknown[]) => pg.QueryConfig,
): Promise<RawConnection> {
  const client = new StrictClient(config);
  let isLost = false;
  // Without a listener a lost connection would end the process.
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
