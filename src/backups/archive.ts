import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, type Extract, pack, type Pack } from 'tar-stream';

/** What a backup says of itself. */
export interface Manifest {
  /** Of the file. This version reads 1. */
  format: 1;
  /** RFC 3339; by the clock of the machine that made it. */
  createdAt: string;
}

/** The file is not a backup that can be restored; the message, which goes on after the file's name, says why. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** The first entry, so that a stranger's archive is told before anything is unpacked. */
const MANIFEST = 'claviger-backup.json';
const MANIFEST_MAX_BYTES = 10_000;
const INSIDE = 'pg/';

/** On the disk when its stream has ended. */
const NEW_FILE = { flags: 'wx', mode: 0o600, flush: true };

type Entry = Extract extends AsyncIterable<infer Each> ? Each : never;

/** Names as PostgreSQL gives them, none of which leads out of the folder. */
const NAME = /^pg(\/(?!\.{1,2}(\/|$))[\w.-]+)*\/?$/;

/**
 * Writes a directory as a gzipped tar, mode 0600, that starts with the manifest; it is on the disk when this returns. Only files
 * and directories are taken, and none may change meanwhile. Errors: the file's, also when `file` exists; then what was
 * written stays there.
 */
export async function writeArchive(
  directory: string,
  manifest: Manifest,
  file: string,
): Promise<void> {
  const archive = pack();
  const writing = pipeline(archive, createGzip(), createWriteStream(file, NEW_FILE));
  // What is wrong with the target, a full disk say, shows there too, and is the better explanation.
  fill(archive, directory, manifest).catch((error: Error) => archive.destroy(error));
  await writing;
}

async function fill(archive: Pack, directory: string, manifest: Manifest): Promise<void> {
  archive.entry({ name: MANIFEST, mode: 0o600 }, `${JSON.stringify(manifest)}\n`);
  archive.entry({ name: INSIDE, type: 'directory', mode: 0o700 });
  const found = await readdir(directory, { withFileTypes: true, recursive: true });
  for (const entry of found) {
    const path = join(entry.parentPath, entry.name);
    const name = INSIDE + path.slice(directory.length + 1).replaceAll('\\', '/');
    if (entry.isDirectory()) {
      archive.entry({ name, type: 'directory', mode: 0o700 });
    } else if (entry.isFile()) {
      const { size } = await stat(path);
      await pipeline(createReadStream(path), archive.entry({ name, size, mode: 0o600 }));
    }
  }
  archive.finalize();
}

/**
 * Unpacks a backup into a directory that does not exist yet; all of it is on the disk when this returns. Errors:
 * {@link ArchiveError}, also for a file that is cut or damaged (gzip has a checksum of the whole); those of the files. Then part of
 * it may be there.
 */
export async function readArchive(file: string, directory: string): Promise<Manifest> {
  const entries = extract();
  // Both end when one of them fails. What the unpacking says comes first: it is the better explanation.
  const [unpacked, read] = await Promise.allSettled([
    unpack(entries, directory),
    pipeline(createReadStream(file), createGunzip(), entries),
  ]);
  if (unpacked.status === 'rejected') throw explain(unpacked.reason);
  if (read.status === 'rejected') throw explain(read.reason);
  return unpacked.value;
}

async function unpack(entries: Extract, directory: string): Promise<Manifest> {
  let manifest: Manifest | undefined;
  for await (const entry of entries) {
    if (manifest === undefined) manifest = await readManifest(entry);
    else await writeEntry(entry, directory);
  }
  if (manifest === undefined) throw new ArchiveError('is not a backup of Claviger');
  return manifest;
}

async function readManifest(entry: Entry): Promise<Manifest> {
  const { name, size = 0 } = entry.header;
  if (name !== MANIFEST || size > MANIFEST_MAX_BYTES) {
    throw new ArchiveError('is not a backup of Claviger');
  }
  const manifest = JSON.parse(await text(entry)) as Manifest;
  if (manifest.format !== 1) {
    throw new ArchiveError('was made by a newer version of Claviger: restore it with that');
  }
  return manifest;
}

async function writeEntry(entry: Entry, directory: string): Promise<void> {
  const { name, type } = entry.header;
  if (!NAME.test(name)) throw new ArchiveError('is not a backup of Claviger');
  const path = join(directory, name.slice(INSIDE.length));
  if (type === 'directory') {
    await mkdir(path, { mode: 0o700 });
    entry.resume();
    return;
  }
  if (type !== 'file') throw new ArchiveError('is not a backup of Claviger');
  await pipeline(entry, createWriteStream(path, NEW_FILE));
}

/** Errors of the system, a full disk say, stay what they are; all others come of what is in the file. */
function explain(error: unknown): unknown {
  const isOurs = error instanceof ArchiveError;
  if (isOurs || (error as NodeJS.ErrnoException).syscall !== undefined) return error;
  return new ArchiveError('is cut or damaged', { cause: error });
}
