// Measures bulk work against the built server: the import of users and the export of audit events, on the embedded
// database, and on PostgreSQL when BENCH_DATABASE_URL names an empty database. Prints a Markdown table.
//   npm run bench:bulk [-- --users 100000 --events 1000000]
import { PGlite } from '@electric-sql/pglite';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { ADMIN, environment } from './lib/environment.mjs';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    events: { type: 'string', default: '1000000' },
  },
});
const USERS = Number(values.users);
const EVENTS = Number(values.events);
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const SAMPLE_MS = 50;
const FILL_ROWS = 50_000;

const lines = [
  '| database | job | rows | seconds | rows/s | MB moved | RSS before | peak RSS | growth |',
  '|---|---|---:|---:|---:|---:|---:|---:|---:|',
];
await measure('PGlite');
const databaseUrl = process.env.BENCH_DATABASE_URL;
if (databaseUrl) await measure('PostgreSQL', databaseUrl);
process.stdout.write(`${lines.join('\n')}\n`);

async function measure(name, url) {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-bench-'));
  const env = environment(directory, url);
  let server;
  try {
    server = await start(env);
    const { token, path, organizationId } = await setUp(server.url);
    lines.push(await row(name, 'import CSV', server, () => importUsers(server.url, path, token)));
    const refuse = () => importOneLine(server.url, path, token);
    lines.push(await row(name, 'import of one line, refused', server, refuse));
    await server.stop();
    await fill(url, directory, organizationId);
    for (const format of ['ndjson', 'csv']) {
      server = await start(env);
      const job = () => exportEvents(server.url, path, token, format);
      lines.push(await row(name, `export ${format.toUpperCase()}`, server, job));
      await server.stop();
    }
  } finally {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One line of the table: `job` answers how many rows and bytes there were. */
async function row(database, name, server, job) {
  const before = rssMegabytes(server.pid);
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, rssMegabytes(server.pid))), SAMPLE_MS);
  const started = performance.now();
  const { rows, bytes } = await job();
  const seconds = (performance.now() - started) / 1_000;
  clearInterval(sampler);
  const cells = [
    database,
    name,
    rows,
    seconds.toFixed(1),
    Math.round(rows / seconds),
    (bytes / 1e6).toFixed(0),
    `${before.toFixed(0)} MB`,
    `${peak.toFixed(0)} MB`,
    `${(peak - before).toFixed(0)} MB`,
  ];
  process.stderr.write(`${cells.join('  ')}\n`);
  return `| ${cells.join(' | ')} |`;
}

/** Resident memory as Linux tells it. */
function rssMegabytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

function start(env) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const stop = () => {
    child.kill();
    return exited;
  };
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const port = /localhost:(\d+)\/docs/.exec(output)?.[1];
      if (port) resolve({ url: `http://127.0.0.1:${port}`, pid: child.pid, stop });
    });
    exited.then((code) => reject(new Error(`the server exited with ${code}`)));
  });
}

async function call(url, path, body, token) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function setUp(url) {
  const session = await call(url, '/v1/sessions', ADMIN);
  const organizationId = session.organizations[0].id;
  const path = `/v1/organizations/${organizationId}`;
  const account = { name: 'Bench', role: 'admin' };
  const { key } = await call(url, `${path}/service-accounts`, account, session.token);
  return { token: key.token, path, organizationId };
}

async function importUsers(url, path, token) {
  const file = ['email,name,role,attributes.department'];
  for (let n = 0; n < USERS; n += 1) file.push(`user${n}@example.com,User ${n},viewer,Finance`);
  const body = `${file.join('\n')}\n`;
  const response = await fetch(`${url}${path}/users/import`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${token}` },
    body,
  });
  const { bytes, last } = await drain(response);
  const { totals, complete } = JSON.parse(last);
  if (!complete || totals.created !== USERS) throw new Error(`imported only ${last}`);
  return { rows: totals.rows, bytes: body.length + bytes };
}

/** As large a file as there may be, without a line end. */
async function importOneLine(url, path, token) {
  const body = 'x'.repeat(64 * 2 ** 20);
  const response = await fetch(`${url}${path}/users/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}` },
    body,
  });
  const { code } = await response.json();
  if (code !== 'record_too_long') throw new Error(`one line: ${response.status} ${code}`);
  return { rows: 1, bytes: body.length };
}

async function exportEvents(url, path, token, format) {
  const response = await fetch(`${url}${path}/audit-events/export?format=${format}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { bytes, newlines } = await drain(response);
  const rows = newlines - (format === 'csv' ? 1 : 0);
  if (rows < EVENTS) throw new Error(`exported only ${rows}`);
  return { rows, bytes };
}

/** Reads an answer without keeping it. */
async function drain(response) {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  let [bytes, newlines, tail] = [0, 0, Buffer.alloc(0)];
  for await (const chunk of response.body) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) newlines += 1;
    tail = Buffer.concat([tail, chunk]).subarray(-2_048);
  }
  return { bytes, newlines, last: tail.toString().trimEnd().split('\n').at(-1) };
}

/** Fills the organization's chain past the server. Nobody verifies it, so the hashes need not be right. */
async function fill(url, directory, chain) {
  const body = JSON.stringify({
    action: 'http.request',
    outcome: 'success',
    organizationId: chain,
    actor: {
      type: 'serviceAccount',
      id: 'sa_01h455vb4pex5vsknk084sn02q',
      name: 'Bench Integration',
    },
    key: { id: 'key_01h455vb4pex5vsknk084sn02q', name: 'Default' },
    targets: [],
    permission: 'users:read',
    method: 'GET',
    route: '/v1/organizations/{organizationId}/users',
    path: `/v1/organizations/${chain}/users`,
    status: 200,
    reason: null,
    ip: '203.0.113.7',
    userAgent: 'bench/1.0',
    requestId: 'req_01h455vb4pex5vsknk084sn02q',
    changes: null,
  });
  const database = url
    ? new pg.Client({ connectionString: url })
    : await PGlite.create(join(directory, 'pg'));
  if (url) await database.connect();
  for (let left = EVENTS; left > 0; left -= FILL_ROWS) {
    await database.query(
      `WITH head AS (UPDATE audit_heads SET sequence = sequence + $2::int WHERE chain = $1 RETURNING sequence)
       INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome, actor_id)
       SELECT $1, head.sequence - $2::int + n, now(), $3, sha256('a'), sha256('b'), repeat('s', 43), 'http.request', 'success', 'sa_01h455vb4pex5vsknk084sn02q'
       FROM head, generate_series(1, $2::int) AS n`,
      [chain, Math.min(left, FILL_ROWS), body],
    );
  }
  await (url ? database.end() : database.close());
}
