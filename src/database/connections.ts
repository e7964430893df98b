import type { SqlDriverAdapter, SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { ElementType } from './binary-arrays.js';

/** One statement for {@link RawConnection}, outside Prisma. */
export interface RawStatement {
  /** Unique for the text: the name of its prepared statement, unless PREPARED_STATEMENTS=false. */
  name: string;
  text: string;
  /** For the hot path: the first parameters are arrays of such elements, and may be sent in the binary format. */
  arrays?: readonly ElementType[];
  /** How long this side waits for its end, in milliseconds, on PostgreSQL; without it a moment. For maintenance alone. */
  timeoutMs?: number;
}

/**
 * A connection outside Prisma. On both databases parameters may be strings, numbers, bigints,
 * booleans, Buffers, Dates, null, and arrays of these with nulls among them (text[], bigint[]); rows
 * hold int8 as bigint, int2, int4 and float8 as number, numeric as string, bytea as Buffer,
 * timestamptz as Date, json and jsonb parsed, arrays of all of these as arrays.
 */
export interface RawConnection {
  /**
   * Runs one statement in a transaction of its own; resolves after its commit. Not in parallel on one
   * connection. Errors: DatabaseUnavailableError; else the driver's error (sqlState() tells).
   */
  query<R extends object>(statement: RawStatement, values: unknown[]): Promise<R[]>;
  /** Whether the connection is known to be gone, so that nothing need be risked on it. */
  isLost(): boolean;
  /** Always works, however broken the connection is. */
  close(): Promise<void>;
}

/** A call of a function in the database, `SELECT name(values)`, that ends a transaction. */
export interface LastCall {
  name: string;
  values: (string | boolean)[];
}

/** One open transaction on a connection that is nobody else's until it ends. */
export interface OpenTransaction {
  /**
   * Runs a statement; types as in {@link RawConnection}. `affected` counts rows.
   * Errors: the driver's (sqlState() tells). Not to be called once the transaction has ended.
   */
  query(text: string, values: unknown[]): Promise<{ rows: object[]; affected: number }>;
  /** Prisma's way to the same connection. */
  adapter(): Promise<SqlDriverAdapter>;
  /** Run together with COMMIT: what fails in it rolls back. */
  last: LastCall | undefined;
  /** Errors: the driver's; nothing was committed unless the connection went meanwhile. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** How long a transaction may take, in milliseconds. */
export interface Patience {
  /** Until it gets its turn: transactions queue when all connections are in use. */
  start: number;
  /** In all, also when the server neither answers nor closes. */
  whole: number;
}

/** One database behind Prisma and behind the raw statements: PostgreSQL, or PGlite in this process. */
export interface Backend {
  readonly patience: Patience;
  /** For what is outside transactions: nothing but connecting. */
  readonly adapter: SqlDriverAdapterFactory;
  /** Opens a transaction; `enter`, one statement's text, is its first. Errors: the driver's. */
  begin(enter: string): Promise<OpenTransaction>;
  /** A statement on any free connection. */
  query<R extends object>(statement: RawStatement, values: unknown[]): Promise<R[]>;
  /** A connection of one's own; on PGlite the one that there is. */
  openConnection(): Promise<RawConnection>;
  /** Applies what is pending of `prisma/migrations`. Errors: MigrationError. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. The server has the shorter time-outs, so that usually it is the one to give up. */
export const TIMEOUTS = {
  connect: 1_000,
  query: 3_000,
  statement: 2_500,
  idleInTransaction: 5_000,
  transaction: 3_000,
} as const;
