import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const MAIN = join(import.meta.dirname, '../../dist/main.js');

/**
 * Before a run: finds the browser (`CHROMIUM`, else the first on the PATH) for its workers, and says loudly that nothing is tested
 * where there is none; makes the data directory that every panel begins with a copy of (`PANEL_TEMPLATE_DIR`).
 */
export default async function setup() {
  const { CHROMIUM, PATH = '' } = process.env;
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = CHROMIUM || places.find(isExecutable);
  if (!found) {
    console.error('\nNO BROWSER: Chromium was not found, ALL TESTS OF THE PANEL ARE SKIPPED\n');
    return;
  }
  process.env.CHROMIUM = found;
  process.env.PANEL_TEMPLATE_DIR = mkdtempSync(join(tmpdir(), 'claviger-panel-'));
  await fill(process.env.PANEL_TEMPLATE_DIR);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a server there once, because a database is made in more time than a test may take. */
async function fill(directory) {
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: directory,
    ADMIN_EMAIL: 'ada@example.com',
    ADMIN_PASSWORD: 'correct horse battery staple',
    ORGANIZATION_NAME: 'Acme',
    LOG_LEVEL: 'warn',
  };
  const server = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  server.stdout.once('data', () => server.kill('SIGTERM')); // The first that it says is that it is ready.
  const code = await new Promise((resolve) => server.once('close', resolve));
  if (code !== 0) throw new Error(`these tests need the built server (npm run build): ${code}`);
}
