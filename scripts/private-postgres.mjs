// A PostgreSQL server of our own, started from the binaries installed here: for tests and benchmarks.
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';

/**
 * Starts a server on a free port of 127.0.0.1, its data in a temporary folder. It ends with `stop`, which is synchronous, so
 * that it may be called when the process exits; what it held is gone then.
 * @param {{ settings?: Record<string, string | number>, core?: number }} [options] settings as `postgres -c` takes them;
 *   the one core it is to run on (Linux)
 * @returns {Promise<{ url: string, superuserUrl: string, createDatabase: (name: string) => Promise<string>, stop: () => void, data: string,
 *   pgCtl: { command: string, args: string[], options: object } }>} `url` is of the login `claviger`, which may
 *   create databases and roles, and `createDatabase` answers that of an empty database of its own; `data` is the data directory, and `pgCtl` how to start it again, for those who stop it
 * @throws Error when there are no binaries, or they fail
 */
export async function startPrivatePostgres({ settings = {}, core } = {}) {
  const bin = findBinaries();
  const account = unprivilegedAccount();
  const folder = mkdtempSync(join(tmpdir(), 'claviger-postgres-'));
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const options = { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] };
  const pin = core === undefined ? [] : ['taskset', '-c', String(core)];
  const run = (program, ...args) => {
    const [command, ...rest] = [...pin, join(bin, program), ...args];
    const { status, error } = spawnSync(command, rest, options);
    if (status !== 0) throw new Error(`${program}: ${error?.message ?? `exit ${status}`}`);
  };
  const stop = () => {
    spawnSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop'], {
      ...options,
      stdio: 'ignore',
    });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C');
    const port = await freePort();
    const given = Object.entries({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      ...settings,
    }).map(([name, value]) => `-c ${name}=${value}`);
    const flags = [`-p ${port}`, ...given].join(' ');
    const start = ['-D', data, '-o', flags, '-l', join(folder, 'log'), '-w', 'start'];
    run('pg_ctl', ...start);
    const superuserUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
    await createLogin(superuserUrl);
    const pgCtl = { command: join(bin, 'pg_ctl'), args: start, options };
    const url = superuserUrl.replace('postgres@', 'claviger@');
    const createDatabase = async (name) => {
      await asSuperuser(superuserUrl, `CREATE DATABASE ${name} OWNER claviger`);
      return url.replace(/\/postgres$/, `/${name}`);
    };
    return { url, superuserUrl, createDatabase, stop, data, pgCtl };
  } catch (error) {
    stop();
    throw error;
  }
}

/**
 * No superuser, as in good installations: a superuser would see past row-level security. It may end sessions, because
 * tests drop databases in which autovacuum may just be at work, and its workers belong to nobody.
 */
function createLogin(url) {
  return asSuperuser(
    url,
    'CREATE ROLE claviger LOGIN CREATEDB CREATEROLE IN ROLE pg_signal_backend',
  );
}

/**
 * One statement.
 * @param {string} url of a superuser
 * @param {string} statement
 * @returns {Promise<any[]>} its rows
 */
export async function asSuperuser(url, statement) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // the statement rejects
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

/**
 * The folder with the programs of the newest installed PostgreSQL from 15 on.
 * @returns {string}
 * @throws Error when there is none
 */
export function findBinaries() {
  const debian = '/usr/lib/postgresql';
  const installed = existsSync(debian) ? readdirSync(debian) : [];
  const found = installed
    .filter((version) => Number(version) >= 15)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'))
    .concat((process.env.PATH ?? '').split(delimiter))
    .find((folder) => existsSync(join(folder, 'initdb')));
  if (found === undefined) throw new Error('no PostgreSQL found; install PostgreSQL 15 or newer');
  return found;
}

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or else `nobody`. */
function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', user], { encoding: 'utf8' });
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root; run this as another user');
}

/**
 * A port of 127.0.0.1 on which nobody listens.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
