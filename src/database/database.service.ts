import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { CONFIG, type Config } from '../config.js';
import type { Seals } from '../crypto/seal.js';
import { type Tracing, TRACING } from '../tracing/tracing.js';
import { type Backend, TIMEOUTS, type RawConnection, type RawStatement } from './connections.js';
import { asDatabaseError, DatabaseUnavailableError, isRetryable } from './errors.js';
import { appendOf, beginCollecting, type Tx } from './events.js';
import { Transactions } from './transactions.js';

export { DatabaseUnavailableError } from './errors.js';
export { collectEvent, raiseEpoch, type PendingEvent, type Tx } from './events.js';
export type { RawConnection, RawStatement } from './connections.js';

/** How often a transaction that met a conflict is run in all. */
const ATTEMPTS = 3;
const JITTER_MS = 30;

/**
 * First in every transaction: the time zone that Prisma's adapters take for granted whatever the
 * server's is, and the time-outs, which PgBouncer takes nowhere else. PGlite gets none: what ends
 * a PostgreSQL session there would end the one that everybody shares.
 */
function settings(embedded: boolean): string {
  const timeZone = "set_config('TimeZone','UTC',true)";
  if (embedded) return timeZone;
  return `${timeZone}, set_config('statement_timeout','${TIMEOUTS.statement}',true),
    set_config('idle_in_transaction_session_timeout','${TIMEOUTS.idleInTransaction}',true)`;
}

const PING: RawStatement = { name: 'ping', text: 'SELECT 1' };

/** The two doors to the database, and a side entrance for the gate and the credential look-up. */
@Injectable()
export class DatabaseService implements OnModuleInit, OnApplicationShutdown {
  /** Whether the database is PGlite in this process. */
  readonly embedded: boolean;
  private readonly settings: string;
  private opening: Promise<void> | undefined;
  /** Set when the instance, and with it the pepper, is known; without it no event can be written. */
  seals: Seals | undefined;
  private opened: { backend: Backend; transactions: Transactions } | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Optional() @Inject(TRACING) private readonly tracing?: Tracing,
  ) {
    this.embedded = config.databaseUrl === undefined;
    this.settings = settings(this.embedded);
  }

  /** Nest's call of {@link open}. */
  onModuleInit(): Promise<void> {
    return this.open();
  }

  /** Nest's call of {@link close}. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Connects and migrates; once, however often it is called.
   * Errors: DataDirLockedError, MigrationError, {@link DatabaseUnavailableError}: the process cannot start.
   */
  open(): Promise<void> {
    this.opening ??= this.connect();
    return this.opening;
  }

  /** Ends all connections; the embedded database and its lock too. */
  async close(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await opened?.transactions.disconnect();
    await opened?.backend.close();
  }

  /** Whether the database answers. Errors: {@link DatabaseUnavailableError}. */
  async ping(): Promise<void> {
    await this.raw(PING, []);
  }

  /**
   * One statement outside Prisma, in a transaction of its own. Types: see {@link RawConnection}.
   * Errors: {@link DatabaseUnavailableError}; else the driver's (sqlState() tells).
   */
  async raw<R extends object>(statement: RawStatement, values: unknown[]): Promise<R[]> {
    const { backend } = this.database;
    if (this.tracing === undefined) return backend.query(statement, values);
    return this.tracing.database('query', statement.name, () => backend.query(statement, values));
  }

  /** A connection of one's own, without reconnecting; on PGlite the one that there is. */
  async openConnection(): Promise<RawConnection> {
    return this.database.backend.openConnection();
  }

  /**
   * One transaction as `claviger_app`, to which row-level security shows this organization alone.
   * Nothing but `tx` may be awaited inside. Run again from its start, up to 3 times in all, on
   * conflicts, so `work` has no effects of its own. Collected events are appended before COMMIT.
   * Errors: those of `work`; {@link DatabaseUnavailableError}, also when the backend's patience ends.
   */
  tenant<T>(organizationId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    // It becomes text of a statement. Ids are words, and who asks for anything else finds nothing.
    const chain = /^\w+$/.test(organizationId) ? organizationId : '';
    const entry = `set_config('role','claviger_app',true), set_config('app.organization_id','${chain}',true)`;
    return this.traced('tenant', `SELECT ${entry}, ${this.settings}`, work);
  }

  /** As {@link tenant}, but as the login role, which sees all. Not for features. */
  system<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.traced('system', `SELECT ${this.settings}`, work);
  }

  private get database(): { backend: Backend; transactions: Transactions } {
    if (!this.opened) throw new DatabaseUnavailableError('it is not open');
    return this.opened;
  }

  private async connect(): Promise<void> {
    const backend = await openBackend(this.config);
    try {
      await backend.migrate();
      const transactions = new Transactions(backend);
      await transactions.connect();
      this.opened = { backend, transactions };
    } catch (error) {
      await backend.close();
      throw asDatabaseError(error);
    }
  }

  private traced<T>(
    door: 'tenant' | 'system',
    enter: string,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    if (this.tracing === undefined) return this.transaction(enter, work);
    return this.tracing.database('transaction', door, () => this.transaction(enter, work));
  }

  private async transaction<T>(enter: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.database.backend.patience.whole;
    for (let attempt = 1; ; attempt++) {
      try {
        return await before(deadline, this.attempt(enter, work));
      } catch (error) {
        if (!isRetryable(error)) throw asDatabaseError(error);
        if (attempt === ATTEMPTS || performance.now() > deadline) {
          throw new DatabaseUnavailableError('conflicts', { cause: error });
        }
        await delay(Math.random() * JITTER_MS * attempt);
      }
    }
  }

  private attempt<T>(enter: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const collecting = (tx: Tx): Promise<T> => {
      beginCollecting(tx);
      return work(tx);
    };
    return this.database.transactions.run(enter, collecting, (tx) => appendOf(tx, this.seals));
  }
}

async function openBackend(config: Config): Promise<Backend> {
  const { databaseUrl } = config;
  if (databaseUrl === undefined) {
    // Not loaded where PostgreSQL is used: the WASM costs memory.
    return (await import('./embedded.js')).openEmbedded(config.dataDir);
  }
  return (await import('./postgres.js')).openPostgres({ ...config, databaseUrl });
}

/**
 * The promise, or {@link DatabaseUnavailableError} at the deadline: a server that froze in the middle
 * makes Prisma wait for the answer to ROLLBACK as well. The outcome is unknown then.
 */
async function before<T>(deadline: number, running: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new DatabaseUnavailableError('no answer in time'));
    timer = setTimeout(fail, deadline - performance.now());
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
