import { ArchiveError } from '../backups/archive.js';
import { type Places, withDataDirectory } from '../database/data-directory.js';
import { UnusableDatabaseError } from '../backups/inspect.js';
import type { Config } from '../config.js';
import { DataDirLockedError } from '../database/lock.js';
import { CommandError } from './command-error.js';

/**
 * Runs work on the files of the embedded database, while no server does. Errors: {@link CommandError}: the database is
 * PostgreSQL, a server is running, `file` is no backup, or the system cannot.
 */
export async function onStoppedDatabase<T>(
  { databaseUrl, dataDir }: Config,
  file: string,
  work: (places: Places) => Promise<T>,
): Promise<T> {
  if (databaseUrl !== undefined) {
    throw new CommandError(
      'This is for the embedded database. DATABASE_URL names a PostgreSQL: use pg_dump and pg_restore, as docs/operations.md says.',
    );
  }
  try {
    return await withDataDirectory(dataDir, work);
  } catch (error) {
    throw explain(error, file);
  }
}

function explain(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof DataDirLockedError) {
    return new CommandError(`The server must be stopped for this: ${error.message}`);
  }
  if (error instanceof ArchiveError) return new CommandError(`${file} ${error.message}.`);
  if (error instanceof UnusableDatabaseError) {
    return new CommandError(`The database ${error.message}.`);
  }
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? error : new CommandError(`That failed: ${error.message}`);
}
