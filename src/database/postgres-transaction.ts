import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import type { LastCall, OpenTransaction } from './connections.js';
import { OneConnection, rawTypes, type StatementNames } from './postgres-client.js';

/** Prisma's way to a connection of the pool, made when the first model is asked for on it. */
const adapters = new WeakMap<pg.PoolClient, Promise<SqlDriverAdapter>>();

/**
 * Opens a transaction on a connection of the pool. BEGIN goes together with its first statement, COMMIT with its last
 * one, so that a chain's head, which the last one locks, is held no longer than the server needs.
 * Errors: the driver's.
 */
export async function beginPostgres(
  pool: pg.Pool,
  enter: string,
  names: StatementNames | undefined,
): Promise<OpenTransaction> {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN; ${enter}`);
  } catch (error) {
    client.release(true);
    throw error;
  }
  return new PostgresTransaction(client, names);
}

class PostgresTransaction implements OpenTransaction {
  last: LastCall | undefined;

  constructor(
    private readonly client: pg.PoolClient,
    private readonly names: StatementNames | undefined,
  ) {}

  async query(text: string, values: unknown[]) {
    const query: pg.QueryConfig = { text, values, types: rawTypes };
    const name = this.names?.of({ sql: text });
    if (name) query.name = name;
    const { rows, rowCount } = await this.client.query<object>(query);
    return { rows, affected: rowCount ?? 0 };
  }

  adapter(): Promise<SqlDriverAdapter> {
    let adapter = adapters.get(this.client);
    if (adapter === undefined) {
      const options = this.names ? { statementNameGenerator: this.names.of } : {};
      adapter = new PrismaPg(new OneConnection(this.client), options).connect();
      adapters.set(this.client, adapter);
    }
    return adapter;
  }

  async commit(): Promise<void> {
    const text = this.last === undefined ? 'COMMIT' : `${toText(this.last)}; COMMIT`;
    try {
      // One result, or one for each statement; its types know the former alone.
      const results = (await this.client.query(text)) as pg.QueryResult | pg.QueryResult<object>[];
      const ending = Array.isArray(results) ? results.at(-1) : results;
      if (ending?.command !== 'COMMIT') throw rolledBack();
    } catch (error) {
      await this.leave('ROLLBACK');
      throw error;
    }
    await this.leave();
  }

  async rollback(): Promise<void> {
    await this.leave('ROLLBACK');
  }

  /** Gives the connection back, or up when it is broken: then the server rolls back by itself. */
  private async leave(text?: string): Promise<void> {
    let isBroken = false;
    if (text !== undefined) {
      await this.client.query(text).catch(() => {
        isBroken = true;
      });
    }
    this.client.release(isBroken);
  }
}

/** With literals: the protocol's only way to send two statements at once. */
function toText({ name, values }: LastCall): string {
  const literals = values.map((value) =>
    typeof value === 'string' ? pg.escapeLiteral(value) : String(value),
  );
  return `SELECT ${name}(${literals.join(',')})`;
}

/** The server answers COMMIT with ROLLBACK when a statement before it failed, and somebody swallowed that. */
function rolledBack(): Error {
  const error = new Error('the transaction was rolled back instead of committed');
  return Object.assign(error, { code: '25P02', severity: 'ERROR' });
}
