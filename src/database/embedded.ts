import { PGlite, types, type ParserOptions, type Transaction } from '@electric-sql/pglite';
import type { SqlDriverAdapter, SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Backend, OpenTransaction, Patience, RawStatement } from './connections.js';
import { finishRestore, placesIn } from './data-directory.js';
import { DiskRoom } from './disk-room.js';
import { asDatabaseError } from './errors.js';
import { lockDirectory } from './lock.js';
import { migrate } from './migrate.js';

/**
 * A data directory of this form is none: the database lives in memory and ends with the process.
 * What follows is the path of a dump to begin with, or nothing. For tests and demonstrations.
 */
export const MEMORY = 'memory://';

/** One transaction at a time, in this very process: the queue moves as long as the process does. */
const PATIENCE: Patience = { start: 10_000, whole: 13_000 };

const INT8_ARRAY = 1016;
const BYTEA_ARRAY = 1001;

/** Rows as {@link RawConnection} promises them, where PGlite reads differently. */
const rawParsers: ParserOptions = {
  [types.INT8]: BigInt,
  [INT8_ARRAY]: (text) => types.arrayParser(text, BigInt, INT8_ARRAY) as unknown,
  [types.BYTEA]: parseBytes,
  [BYTEA_ARRAY]: (text) => types.arrayParser(text, parseBytes, BYTEA_ARRAY) as unknown,
};

function parseBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}

/**
 * Opens the embedded database in `dataDir`/pg, makes it where there is none, and holds the lock of
 * `dataDir` until it is closed. Every commit is with the operating system before it is acknowledged,
 * so that killing the process loses nothing; against a loss of power PGlite does not protect.
 * Errors: DataDirLockedError; DatabaseUnavailableError where the disk has no room.
 */
export async function openEmbedded(dataDir: string): Promise<Backend> {
  if (dataDir.startsWith(MEMORY)) return toBackend(await openMemory(dataDir.slice(MEMORY.length)));
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const room = new DiskRoom(dataDir);
  room.check();
  const lock = await lockDirectory(dataDir);
  try {
    finishRestore(dataDir);
    const pglite = await openDirectory(placesIn(dataDir).database);
    return toBackend(pglite, { room, closed: () => lock.release() });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openMemory(dumpPath: string): Promise<PGlite> {
  if (dumpPath === '') return PGlite.create();
  return PGlite.create({ loadDataDir: new Blob([await readFile(dumpPath)]) });
}

async function openDirectory(directory: string): Promise<PGlite> {
  if (!existsSync(directory)) {
    // Made beside its place and then moved: a process killed meanwhile leaves no half database.
    const draft = `${directory}.new`;
    rmSync(draft, { recursive: true, force: true });
    await (await PGlite.create({ dataDir: draft })).close();
    renameSync(draft, directory);
  }
  return PGlite.create({ dataDir: directory, relaxedDurability: false });
}

/** What a database in a directory has, and one in memory has not. */
interface OnDisk {
  room: DiskRoom;
  /** To be called once it is closed. */
  closed: () => void;
}

function toBackend(pglite: PGlite, onDisk?: OnDisk): Backend {
  const query = async <R extends object>(
    { text }: RawStatement,
    values: unknown[],
  ): Promise<R[]> => {
    onDisk?.room.check();
    try {
      return (await pglite.query<R>(text, values, { parsers: rawParsers })).rows;
    } catch (error) {
      throw asDatabaseError(error);
    }
  };
  return {
    patience: PATIENCE,
    adapter: new PrismaPGlite(pglite),
    begin: async (enter) => {
      onDisk?.room.check();
      return begin(pglite, enter);
    },
    query,
    openConnection: () =>
      Promise.resolve({ query, isLost: () => false, close: () => Promise.resolve() }),
    migrate: () => migrateEmbedded(pglite),
    close: async () => {
      await pglite.close();
      onDisk?.closed();
    },
  };
}

/** Applies pending migrations. Errors: MigrationError. */
export async function migrateEmbedded(pglite: PGlite): Promise<void> {
  await pglite.transaction(async (transaction) => {
    await migrate({
      adapter: await adapterOver(transaction),
      query: async <R extends object>(text: string) => (await transaction.query<R>(text)).rows,
      script: (text) => transaction.exec(text),
    });
  });
}

/** Opens a transaction of PGlite's own, whose failed COMMIT Prisma's public adapter would report as a success. */
function begin(pglite: PGlite, enter: string): Promise<OpenTransaction> {
  return new Promise((resolve, reject) => {
    const outcome = pglite.transaction(async (transaction) => {
      await transaction.query(enter);
      await new Promise<void>((finish) => {
        resolve(toOpenTransaction(transaction, async () => (finish(), outcome)));
      });
    });
    outcome.catch(reject);
  });
}

/** `finish` commits, unless there was a rollback. */
function toOpenTransaction(transaction: Transaction, finish: () => Promise<void>): OpenTransaction {
  const query = async (text: string, values: unknown[]) => {
    const options = { parsers: rawParsers };
    const { rows, affectedRows } = await transaction.query<object>(text, values, options);
    return { rows, affected: affectedRows ?? 0 };
  };
  return {
    query,
    adapter: () => adapterOver(transaction),
    last: undefined,
    async commit() {
      if (this.last !== undefined) {
        const { name, values } = this.last;
        const places = values.map((_, index) => `$${index + 1}`);
        try {
          await query(`SELECT ${name}(${places.join(',')})`, values);
        } catch (error) {
          await this.rollback();
          throw error;
        }
      }
      await finish();
    },
    async rollback() {
      await transaction.rollback();
      await finish();
    },
  };
}

/** The public adapter's queries, run inside a transaction. */
function adapterOver(transaction: Transaction): Promise<SqlDriverAdapter> {
  const inner = new PrismaPGlite(transaction as unknown as PGlite);
  return (inner as unknown as SqlDriverAdapterFactory).connect();
}
