import { PGlite } from '@electric-sql/pglite';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ADMIN, environment } from './environment.mjs';
import { fill } from './fill.mjs';
import { SERVER_CORE, startServer } from './processes.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const POOL = 100;
const VERIFIERS = 10;
/** Of the organization that is asked; so many get keys. */
const MIN_ACCOUNTS = 1_000;
/** What one statement may touch on the embedded database, and what is quick elsewhere. */
const ROWS_PER_STATEMENT = { pglite: 1_000, postgres: 100_000 };

/**
 * @typedef {object} Dataset
 * @property {'postgres' | 'pglite'} kind
 * @property {string} [databaseUrl] an empty database on PostgreSQL
 * @property {string} folder for the data directory
 * @property {number} organizations besides the one that is asked
 * @property {number} keys
 * @property {number} events
 */

/**
 * Starts Claviger on a filled database of its own.
 * @param {Dataset} dataset
 * @returns {Promise<{ server: { url: string, pid: number }, jobs: Record<string, import('./targets.mjs').Job> }>} the jobs
 *   `me`, `introspect`, `list`, `create`, `login` and `live`
 */
export async function startClaviger(dataset) {
  const directory = join(dataset.folder, `data-${randomBytes(4).toString('hex')}`);
  mkdirSync(directory);
  const env = { ...environment(directory, dataset.databaseUrl), PORT: '0', LOG_LEVEL: 'warn' };
  const first = await start(env, SERVER_CORE);
  const known = await makeAccounts(first.url);
  await first.stop();
  const { accountIds } = await fillPastServer(dataset, directory, known.organizationId);
  const server = await start(env, SERVER_CORE);
  return { server, jobs: jobsOf({ ...known, accountIds }) };
}

/**
 * Starts the built server, without filling anything.
 * @param {Record<string, string>} env
 * @param {number} [core] the one it is to run on; without it, any
 */
export function start(env, core) {
  const isReady = (output) => {
    const port = /localhost:(\d+)\/docs/.exec(output)?.[1];
    return port && { url: `http://127.0.0.1:${port}` };
  };
  return startServer(MAIN, env, isReady, core);
}

/** Those whose tokens are used, made as an administrator would. */
async function makeAccounts(url) {
  const session = await post(`${url}/v1/sessions`, ADMIN);
  const organizationId = session.organizations[0].id;
  const make = async (name, role) => {
    const path = `/v1/organizations/${organizationId}/service-accounts`;
    const { key } = await post(url + path, { name, role }, session.token);
    return key.token;
  };
  const makeMany = async (count, name, role) => {
    const tokens = [];
    for (let n = 0; n < count; n += 1) tokens.push(await make(`${name} ${n}`, role));
    return tokens;
  };
  return {
    organizationId,
    admin: await make('Admin', 'admin'),
    tokens: await makeMany(POOL, 'Pool', 'viewer'),
    verifiers: await makeMany(VERIFIERS, 'Verifier', 'verifier'),
  };
}

/**
 * Sends JSON.
 * @returns {Promise<any>} the answer
 * @throws Error when it is no success
 */
export async function post(url, body, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? bearer(token) : {}) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function fillPastServer(dataset, directory, organizationId) {
  const { kind, databaseUrl, organizations, keys, events } = dataset;
  const rowsPerStatement = ROWS_PER_STATEMENT[kind];
  // Half of the keys are that organization's: two an account, as while one is replaced.
  const accounts = Math.max(MIN_ACCOUNTS, keys / 4);
  const size = { organizationId, accounts, organizations, keys, events, rowsPerStatement };
  if (kind === 'pglite') {
    const database = await PGlite.create(join(directory, 'pg'));
    try {
      const filled = await fill(database, size);
      await database.query('ANALYZE');
      return filled;
    } finally {
      await database.close();
    }
  }
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const filled = await fill(database, size);
    await database.query('VACUUM ANALYZE');
    return filled;
  } finally {
    await database.end();
  }
}

function jobsOf({ organizationId, accountIds, admin, tokens, verifiers }) {
  const accounts = `/v1/organizations/${organizationId}/service-accounts`;
  const list = (headers) => ({ method: 'GET', path: `${accounts}?limit=50`, headers });
  const me = (token) => ({ method: 'GET', path: '/v1/me', headers: bearer(token) });
  const create = (id, headers) => withJson(`${accounts}/${id}/keys`, { name: 'Load' }, headers);
  const login = (password) => withJson('/v1/sessions', { email: ADMIN.email, password }, {});
  const introspect = (token, caller) => ({
    method: 'POST',
    path: '/oauth/introspect',
    headers: { ...bearer(caller), 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${token}`,
  });
  return {
    me: { requests: tokens.map(me), refused: me(wrong(tokens[0])) },
    introspect: {
      requests: tokens.map((token, n) => introspect(token, verifiers[n % VERIFIERS])),
      refused: introspect(tokens[0], wrong(verifiers[0])),
      proves: (answer) => answer.active === true,
      unproved: introspect(wrong(tokens[0]), verifiers[0]),
    },
    list: {
      requests: [list(bearer(admin))],
      refused: list(bearer(wrong(admin))),
      proves: (answer) => answer.data.length === 50,
    },
    create: {
      requests: accountIds.slice(0, MIN_ACCOUNTS).map((id) => create(id, bearer(admin))),
      refused: create(accountIds[0], bearer(wrong(admin))),
    },
    login: { requests: [login(ADMIN.password)], refused: login(`not ${ADMIN.password}`) },
    live: { requests: [{ method: 'GET', path: '/health/live', headers: {} }] },
  };
}

/** An `Authorization` header. */
export function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

/** A token that is nobody's. */
export function wrong(token) {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}

/** A POST of JSON. */
export function withJson(path, body, headers) {
  return {
    method: 'POST',
    path,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}
