// Runs the end-to-end tests on PostgreSQL: on the server that TEST_DATABASE_URL names (a login that may create databases
// and roles, and is a member of pg_signal_backend), or on a private one, started from the binaries installed here and
// gone afterwards. Further arguments go to Jest. Exits as Jest does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPrivatePostgres } from './private-postgres.mjs';

// A time zone that is not UTC, because most servers' is not.
const SETTINGS = { timezone: 'Asia/Kolkata', max_connections: 200 };

const root = fileURLToPath(new URL('..', import.meta.url));
const jestArguments = process.argv.slice(2);
const server = process.env.TEST_DATABASE_URL ? undefined : await startServer();
const stop = () => server?.stop();
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    ...(jestArguments.some((argument) => !argument.startsWith('-')) ? [] : ['test/']),
    ...jestArguments,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_DATABASE_URL: server?.url ?? process.env.TEST_DATABASE_URL },
  },
);
jest.on('exit', (code) => process.exit(code ?? 1));

async function startServer() {
  try {
    return await startPrivatePostgres({ settings: SETTINGS });
  } catch (error) {
    console.error(`${error.message}. TEST_DATABASE_URL may name a server to test on instead.`);
    process.exit(1);
  }
}
