import { PGlite } from '@electric-sql/pglite';
import { migrationNames } from '../database/schema-engine.js';
import { isDatabase } from '../database/data-directory.js';

/** The database cannot be used by this version; the message, which goes on after "The database", says why. */
export class UnusableDatabaseError extends Error {
  override readonly name = 'UnusableDatabaseError';
}

const MIGRATIONS =
  'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL AND EXISTS (SELECT FROM instance)';

/**
 * Opens an embedded database as a server would, once, to see that it is one and that this version knows it; nothing is migrated.
 * The caller holds the lock. Errors: {@link UnusableDatabaseError}.
 */
export async function requireUsable(directory: string): Promise<void> {
  // Without this file PGlite would make a database there.
  if (!isDatabase(directory)) throw new UnusableDatabaseError('is none');
  const applied = await readMigrations(directory).catch((cause: Error) => {
    throw new UnusableDatabaseError(`cannot be opened: ${cause.message}`, { cause });
  });
  if (applied.length === 0) throw new UnusableDatabaseError('is not one of Claviger');
  const known = new Set(migrationNames());
  const strange = applied.find((name) => !known.has(name));
  if (strange !== undefined) {
    throw new UnusableDatabaseError(
      `belongs to a newer version of Claviger (migration ${strange}): use that`,
    );
  }
}

async function readMigrations(directory: string): Promise<string[]> {
  const pglite = await PGlite.create({ dataDir: directory, relaxedDurability: false });
  try {
    const { rows } = await pglite.query<{ name: string }>(MIGRATIONS);
    return rows.map(({ name }) => name);
  } finally {
    await pglite.close();
  }
}
