// Runs the end-to-end tests on PostgreSQL: on the server that TEST_DATABASE_URL names (a login that may
// create databases and roles), or on a private one, started from the binaries installed here and gone
// afterwards. Further arguments go to Jest. Exits as Jest does.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

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

/** A server of our own on a free port of 127.0.0.1, its data in a temporary folder. */
async function startServer() {
  const bin = findBinaries();
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(tmpdir(), 'claviger-postgres-'));
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const options = { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] };
  const run = (program, ...args) => {
    const { status, error } = spawnSync(join(bin, program), args, options);
    if (status !== 0) fail(`${program} failed: ${error?.message ?? `exit ${status}`}`);
  };
  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C');
  const port = await freePort();
  // A time zone that is not UTC, because most servers' is not.
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c timezone=Asia/Kolkata -c max_connections=200`;
  run('pg_ctl', '-D', data, '-o', settings, '-l', join(folder, 'log'), '-w', 'start');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await createLogin(url);
  return {
    url: url.replace('postgres@', 'claviger@'),
    stop: () => {
      spawnSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop'], options);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** No superuser, as in good installations: a superuser would see past row-level security. */
async function createLogin(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE ROLE claviger LOGIN CREATEDB CREATEROLE');
  await client.end();
}

/** The newest installed PostgreSQL from 15 on. */
function findBinaries() {
  const debian = '/usr/lib/postgresql';
  const installed = existsSync(debian) ? readdirSync(debian) : [];
  const folders = installed
    .filter((version) => Number(version) >= 15)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'))
    .concat((process.env.PATH ?? '').split(delimiter));
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  return (
    found ?? fail('No PostgreSQL found: set TEST_DATABASE_URL, or install PostgreSQL 15 or newer.')
  );
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or else `nobody`. */
function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', user], { encoding: 'utf8' });
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  return fail('PostgreSQL does not run as root; run this as another user.');
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
