import pg from 'pg';

const { INT8 } = pg.types.builtins;
const INT8_ARRAY = 1016;
const TEXT_ARRAY = 1009;
const parseTextArray = pg.types.getTypeParser(TEXT_ARRAY as never) as (
  text: string,
) => (string | null)[];

/** Rows as `RawConnection` promises them: int8 as bigint; everything else as `pg` reads it. */
export const rawTypes: pg.CustomTypesConfig = {
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

/** `query` once more for our own use: `pg` overloads it eight times. */
type AnyQuery = (config: unknown, values?: unknown, callback?: unknown) => Promise<pg.QueryResult>;

/**
 * A `pg` client without two traps. A statement that timed out on this side leaves the connection waiting for the server, so
 * the connection is destroyed and whatever comes after fails at once. And what the server says at the end of a connection ends no
 * process, also when nobody has it at that moment: between two statements, or on its way out of the pool.
 */
export class StrictClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const query = super.query.bind(this) as AnyQuery;
    const strict: AnyQuery = (config, values, callback) => {
      const pending: unknown = query(config, values, callback);
      if (pending instanceof Promise) void pending.catch((error: unknown) => this.check(error));
      return pending as Promise<pg.QueryResult>;
    };
    this.query = strict as pg.Client['query'];
    this.on('error', () => undefined); // the next statement rejects
  }

  private check(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout') this.destroy();
  }

  /** Cuts the connection without a word to the server. */
  destroy(): void {
    (this as unknown as { connection: pg.Connection }).connection.stream.destroy();
  }
}

/** Statements that are named: those of the code, and not what lists of many lengths could make. */
const MAX_NAMED = 1_000;

/** Names for statements: with one, the server parses and plans a statement once a connection. */
export class StatementNames {
  private readonly names = new Map<string, string>();

  /** The name of a statement; the empty one, which nothing is kept under, where there are too many. */
  readonly of = ({ sql }: { sql: string }): string => {
    let name = this.names.get(sql);
    if (name === undefined) {
      if (this.names.size >= MAX_NAMED) return '';
      name = `s_${this.names.size}`;
      this.names.set(sql, name);
    }
    return name;
  };
}

/** A pool, as Prisma's adapter wants it, that is a single connection. */
export class OneConnection extends pg.Pool {
  constructor(client: pg.ClientBase) {
    super();
    const query = client.query.bind(client) as AnyQuery;
    this.query = query as pg.Pool['query'];
  }
}
