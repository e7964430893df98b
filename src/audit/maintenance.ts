import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseService, RawStatement, Tx } from '../database/database.service.js';
import { sqlState } from '../database/errors.js';

/** Whoever waits for a lock on the trail makes all writers behind it wait too: never for longer than this. */
const LOCK_TIMEOUT = '200ms';
const TRIES = 10;
const PAUSE_MS = 300;
/** One instance at a time; transaction-level, for PgBouncer. */
const ADVISORY_LOCK = 72_707_370;
/** Reading a whole partition takes as long as it takes. */
const LONG_MS = 6 * 60 * 60 * 1_000;

const LOCK_NOT_AVAILABLE = '55P03';

/** What maintenance of the trail works with. */
export interface Maintenance {
  database: DatabaseService;
  /** The process is about to end: begin nothing more. */
  signal: AbortSignal;
}

/**
 * One transaction that changes the tables of the trail, of one instance at a time. A lock that it does not get within a moment makes
 * it begin again a little later, so that nobody who writes to the trail waits for long. Errors: the last one's.
 */
export async function changeTables<T>(
  { database, signal }: Maintenance,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await database.system(async (tx) => {
        await tx.$executeRaw`SELECT set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`;
        return work(tx);
      });
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || attempt === TRIES) throw error;
      await delay(PAUSE_MS * (0.5 + Math.random()), undefined, { signal, ref: false });
    }
  }
}

/** One statement that may take hours and blocks nobody, on a connection of its own; cut when the process ends. */
export async function runLong<R extends object>(
  { database, signal }: Maintenance,
  statement: RawStatement,
): Promise<R[]> {
  signal.throwIfAborted();
  const connection = await database.openConnection();
  const cut = (): void => void connection.close();
  signal.addEventListener('abort', cut);
  try {
    return await connection.query<R>({ ...statement, timeoutMs: LONG_MS }, []);
  } finally {
    signal.removeEventListener('abort', cut);
    await connection.close();
  }
}
