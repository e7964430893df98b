import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeArchive } from '../backups/archive.js';
import { isDatabase, placesIn, syncDirectory } from '../database/data-directory.js';
import { requireUsable } from '../backups/inspect.js';
import { loadConfig } from '../config.js';
import { CommandError } from './command-error.js';
import { onStoppedDatabase } from './stopped-database.js';

/**
 * `claviger backup`: the embedded database as one file, which is there as a whole or not at all. The pepper is not in it, nor are the
 * checkpoints, which tell an older backup.
 */
export async function backupCommand(file: string): Promise<void> {
  const config = loadConfig(process.env);
  if (existsSync(file)) {
    throw new CommandError(`${file} is there already: a backup replaces nothing.`);
  }
  const { database, ready } = placesIn(config.dataDir);
  if (config.databaseUrl === undefined && !isDatabase(database) && !isDatabase(ready)) {
    throw new CommandError(`There is no database in ${config.dataDir}.`);
  }
  await onStoppedDatabase(config, file, async () => {
    // A database that cannot be opened is found now, and not when its backup is needed.
    await requireUsable(database);
    await writeBeside(file, database);
  });
  const { size } = await stat(file);
  process.stdout.write(
    `${file} has the database (${(size / 1e6).toFixed(1)} MB). It is worth nothing without the pepper, which is not in it: keep that elsewhere.\n`,
  );
}

async function writeBeside(file: string, database: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  try {
    await writeArchive(database, { format: 1, createdAt: new Date().toISOString() }, draft);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
}
