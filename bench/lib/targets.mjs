import { fileURLToPath } from 'node:url';
import { bearer, startClaviger, withJson, wrong } from './claviger.mjs';
import { readyLine, SERVER_CORE, startServer } from './processes.mjs';

/**
 * @typedef {object} Job what is asked of a server
 * @property {import('./load.mjs').Request[]} requests
 * @property {import('./load.mjs').Request} [refused] one with a wrong credential, to be answered 401
 * @property {(answer: any) => boolean} [proves] whether an answer, as parsed JSON, is what is meant to be measured
 * @property {import('./load.mjs').Request} [unproved] one whose answer is a success and not that
 *
 * @typedef {object} Target one row of the table
 * @property {string} id a to f, or f100k
 * @property {string} job
 * @property {string} label
 * @property {string} database
 * @property {number} connections
 * @property {number} [perSecond] at this rate, instead of as fast as it goes
 * @property {{ url: string, pid: number }} server
 * @property {Job} asked
 */

const TOKENS = 100;
/** One person may try five passwords at once from one address: more would have to wait for each other. */
const MAX_LOGINS = 4;
const PACED_PER_SECOND = 1_000;
const SMALL = { organizations: 9, keys: 1_000, events: 0 };
const CLAVIGER_LABELS = {
  me: 'GET /v1/me',
  introspect: 'POST /oauth/introspect',
  list: 'list of 50 service accounts',
  create: 'create key',
  login: 'login',
  live: 'GET /health/live',
};

/**
 * Starts all servers that are to be measured.
 * @param {import('./options.mjs').Options} options
 * @param {{ createDatabase: (name: string) => Promise<string>, folder: string, note: (text: string) => void }} tools
 * @returns {Promise<Target[]>}
 */
export async function startTargets(options, tools) {
  const targets = [];
  for (const id of options.only) {
    if (id in PEERS) {
      tools.note(`starting ${id}`);
      targets.push(...(await startPeer(id, options, tools)));
    } else {
      for (const kind of options.databases) {
        tools.note(`starting and filling ${id} on ${kind}`);
        targets.push(...(await startOurs(id, kind, options, tools)));
      }
    }
  }
  return targets;
}

const constant = (label) => ({
  label,
  jobs: () => ({ constant: { requests: [{ method: 'GET', path: '/constant', headers: {} }] } }),
});

/** Creating needs no credential in the peers: only what is behind it is measured. */
const keys = (label) => ({
  label,
  database: true,
  jobs: ({ tokens }) => {
    const me = (token) => ({ method: 'GET', path: '/me', headers: bearer(token) });
    return {
      me: { requests: tokens.map(me), refused: me(wrong(tokens[0])) },
      create: { requests: [withJson('/keys', { name: 'Load' }, {})] },
    };
  },
});

const PEERS = {
  a: { script: 'fastify', ...constant('Fastify, constant') },
  b: { script: 'nest', ...constant('Nest + Fastify, constant') },
  c: { script: 'fastify-pg', ...keys('Fastify + pg') },
  d: { script: 'better-auth', ...keys('better-auth API keys') },
  e: {
    script: 'oidc-provider',
    label: 'oidc-provider',
    database: true,
    jobs: ({ tokens, authorization }) => {
      const introspect = (token, sent = authorization) => ({
        method: 'POST',
        path: '/token/introspection',
        headers: { authorization: sent, 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${token}`,
      });
      return {
        introspect: {
          requests: tokens.map((token) => introspect(token)),
          refused: introspect(tokens[0], `Basic ${Buffer.from('bench:wrong').toString('base64')}`),
          proves: (answer) => answer.active === true,
          unproved: introspect(wrong(tokens[0])),
        },
      };
    },
  },
};

const PEER_LABELS = {
  constant: '',
  me: ', GET with a key',
  create: ', create key',
  introspect: ', introspection',
};

async function startPeer(id, { keys: keyCount, connections }, { createDatabase }) {
  const { script, label, database = false, jobs } = PEERS[id];
  const path = fileURLToPath(new URL(`../peers/${script}.mjs`, import.meta.url));
  const url = database ? await createDatabase(script.replaceAll('-', '_')) : undefined;
  const env = { KEYS: String(keyCount), TOKENS: String(TOKENS), ...(url && { DATABASE_URL: url }) };
  const server = await startServer(path, env, readyLine, SERVER_CORE);
  return Object.entries(jobs(server)).map(([job, asked]) => ({
    id,
    job,
    label: label + PEER_LABELS[job],
    database: database ? 'PostgreSQL' : '',
    connections,
    server,
    asked,
  }));
}

async function startOurs(id, kind, options, { createDatabase, folder }) {
  const isLarge = id === 'f100k';
  const databaseUrl = kind === 'postgres' ? await createDatabase(`claviger_${id}`) : undefined;
  const size = isLarge ? largeSize(kind, options) : SMALL;
  const { server, jobs } = await startClaviger({ kind, databaseUrl, folder, ...size });
  const row = (job, connections, more = {}) => ({
    id,
    job,
    label: `Claviger${isLarge ? ', large' : ''}, ${CLAVIGER_LABELS[job]}`,
    database: kind === 'postgres' ? 'PostgreSQL' : 'PGlite',
    connections,
    server,
    asked: jobs[job],
    ...more,
  });
  const usual = ['me', 'introspect', 'list', 'create'].map((job) => row(job, options.connections));
  if (isLarge) {
    const reads = ['me', 'introspect'];
    const more = options.moreConnections.flatMap((n) => reads.map((job) => row(job, n)));
    return [...usual, ...more];
  }
  const paced = ['me', 'live'].map((job) => row(job, 0, { perSecond: PACED_PER_SECOND }));
  return [...usual, row('login', Math.min(MAX_LOGINS, options.connections)), ...paced];
}

/** The embedded database is for smaller installations: it gets a tenth of the events. */
function largeSize(kind, { keys: keyCount, events, quick }) {
  return {
    organizations: quick ? 99 : 999,
    keys: keyCount,
    events: kind === 'pglite' ? Math.floor(events / 10) : events,
  };
}

/**
 * Makes sure that a target is what it seems: good requests are answered with success, a wrong credential with 401.
 * @param {Target} target
 * @returns {Promise<number>} the size of an answer's body in bytes
 * @throws Error that says what was answered instead
 */
export async function probe({ label, server, asked }) {
  const { requests, refused, unproved, proves = () => true } = asked;
  const ask = async (request, isExpected, what) => {
    const { status, text } = await send(server, request);
    if (isExpected(status, text)) return text;
    throw new Error(`${label}, ${what}: ${status} ${text}`);
  };
  const isSuccess = (status) => status >= 200 && status <= 299;
  const isProof = (text) => proves(JSON.parse(text));
  const isGood = (status, text) => isSuccess(status) && isProof(text);
  const isUnproved = (status, text) => isSuccess(status) && !isProof(text);
  const answer = await ask(requests[0], isGood, 'asked as it will be');
  if (refused) await ask(refused, (status) => status === 401, 'asked with a wrong credential');
  if (unproved) await ask(unproved, isUnproved, 'asked about a wrong token');
  return Buffer.byteLength(answer);
}

async function send({ url }, { method, path, headers, body }) {
  const response = await fetch(url + path, { method, headers, body });
  return { status: response.status, text: await response.text() };
}
