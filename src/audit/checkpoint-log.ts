import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Config } from '../config.js';
import { parseCheckpoint, type SignedCheckpoint } from './checkpoint.js';
import { parseTombstone, type SignedTombstone } from './tombstone.js';

/**
 * The file of checkpoints and tombstones outside the database, a line of JSON each: `DATA_DIR/checkpoints.log`. Undefined where there is no
 * directory: a database in memory.
 */
export function checkpointFile({ dataDir }: Pick<Config, 'dataDir'>): string | undefined {
  return dataDir === '' || dataDir.startsWith('memory:')
    ? undefined
    : join(dataDir, 'checkpoints.log');
}

/**
 * Lines that are written at once: Node writes 512 KiB with one call, and then no other process that appends comes between. A
 * line has less than 1,000 bytes.
 */
const WRITTEN_AT_ONCE = 500;

/**
 * Adds what was signed; several processes may do so at once. It is on the disk when this returns. The file is opened anew each
 * time, so that it may be rotated.
 */
export async function appendSigned(
  file: string,
  signed: readonly (SignedCheckpoint | SignedTombstone)[],
): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a', 0o600);
  try {
    for (let start = 0; start < signed.length; start += WRITTEN_AT_ONCE) {
      const some = signed.slice(start, start + WRITTEN_AT_ONCE);
      await handle.appendFile(some.map((one) => `${JSON.stringify(one)}\n`).join(''));
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/**
 * All checkpoints and tombstones of a file in the order in which they were written; other lines are left out. Errors: the file's.
 */
export async function* readSigned(
  file: string,
): AsyncGenerator<SignedCheckpoint | SignedTombstone> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) {
    const signed = parseCheckpoint(line) ?? parseTombstone(line);
    if (signed !== undefined) yield signed;
  }
}
