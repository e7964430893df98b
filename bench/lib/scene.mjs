import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPrivatePostgres } from '../../scripts/private-postgres.mjs';
import { killAll } from './processes.mjs';

/**
 * Where a measurement takes place: a temporary folder, and a PostgreSQL if it wants one. Both go when the process exits, also by a
 * signal, and so does every server that still runs.
 * @param {string} name of the folder
 * @returns {{ folder: string, startPostgres: typeof startPrivatePostgres }}
 */
export function openScene(name) {
  const folder = mkdtempSync(join(tmpdir(), `claviger-${name}-`));
  let postgres;
  process.on('exit', () => {
    killAll();
    postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
  return {
    folder,
    startPostgres: async (options) => (postgres = await startPrivatePostgres(options)),
  };
}
