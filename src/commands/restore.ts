import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { type Manifest, readArchive } from '../backups/archive.js';
import { type Places, replaceDatabase } from '../database/data-directory.js';
import { requireUsable } from '../backups/inspect.js';
import { loadConfig } from '../config.js';
import { CommandError } from './command-error.js';
import { opened } from './opened.js';
import { onStoppedDatabase } from './stopped-database.js';

/**
 * `claviger restore`: puts a backup's database into DATA_DIR, as a whole or not at all. One that is there is kept beside it, and
 * needs `force`. The checkpoints in DATA_DIR stay: by them the next start notices a backup that is older.
 */
export async function restoreCommand(file: string, force: boolean): Promise<void> {
  const config = loadConfig(process.env);
  await opened(file, stat(file));
  const { manifest, replaced } = await onStoppedDatabase(config, file, async (places) => {
    if (existsSync(places.database) && !force) {
      throw new CommandError(
        `There is a database in ${places.database} already. With --force the backup takes its place, and it is kept beside.`,
      );
    }
    const manifest = await unpackDraft(file, places);
    return { manifest, replaced: await replaceDatabase(config.dataDir, places, new Date()) };
  });
  const lines = [
    `The database of ${manifest.createdAt} is in ${config.dataDir}. It needs the pepper that it was made with.`,
    ...(replaced === undefined
      ? []
      : [`The one before is in ${replaced}: remove it when nobody needs it any more.`]),
  ];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Whatever is wrong with the backup is found here, before anything is touched. */
async function unpackDraft(file: string, { draft }: Places): Promise<Manifest> {
  await rm(draft, { recursive: true, force: true });
  try {
    const manifest = await readArchive(file, draft);
    await requireUsable(draft);
    return manifest;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}
