import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory } from './lock.js';

/** Where the embedded database is in DATA_DIR, and what becomes it. */
export interface Places {
  /** The database. */
  database: string;
  /** One that is being put together. */
  draft: string;
  /** One that is whole, on its way to `database`. */
  ready: string;
}

/** See {@link Places}. */
export function placesIn(dataDir: string): Places {
  const database = join(dataDir, 'pg');
  return { database, draft: `${database}.restoring`, ready: `${database}.restored` };
}

/** Runs work while nobody else uses DATA_DIR. Errors: DataDirLockedError. */
export async function withDataDirectory<T>(
  dataDir: string,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const lock = await lockDirectory(dataDir);
  try {
    finishRestore(dataDir);
    return await work(placesIn(dataDir));
  } finally {
    lock.release();
  }
}

/**
 * Puts the draft in the place of the database. The one that was there stays beside it; answers where. Killed in between, it is
 * brought to its end by {@link finishRestore}.
 */
export async function replaceDatabase(
  dataDir: string,
  { database, draft, ready }: Places,
  now: Date,
): Promise<string | undefined> {
  rmSync(ready, { recursive: true, force: true });
  renameSync(draft, ready);
  let replaced: string | undefined;
  if (existsSync(database)) {
    replaced = `${database}.replaced-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    renameSync(database, replaced);
  }
  finishRestore(dataDir);
  await syncDirectory(dataDir);
  return replaced;
}

/**
 * Ends a restore that was killed after it had moved the old database away: else whoever comes next would find none, and make an
 * empty one. The caller holds the lock.
 */
export function finishRestore(dataDir: string): void {
  const { database, ready } = placesIn(dataDir);
  if (!existsSync(database) && existsSync(ready)) renameSync(ready, database);
}

/** The names in a directory are on the disk when this returns. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether PostgreSQL's files are there: where they are not, PGlite would make a database. */
export function isDatabase(directory: string): boolean {
  try {
    return readFileSync(join(directory, 'PG_VERSION'), 'utf8') !== '';
  } catch {
    return false;
  }
}
