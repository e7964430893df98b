import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyDatabase, onPostgres } from './database.js';
import type { Client } from './harness.js';
import { freePort } from './free-port.js';
import { killLeftovers, type ServerProcess, startProcess } from './process.js';

const EXAMPLE = join(import.meta.dirname, '../examples/resource-server');
const REPORT = readFileSync(join(EXAMPLE, 'reports/sales-2026.csv'), 'utf8');
const AUDIENCE = 'https://reports.example.com';

let directory: string;
let database: { url: string; cleanup(): Promise<void> } | undefined;
let server: ServerProcess;
let owner: Client;
let organization: string;

interface Account {
  id: string;
  path: string;
  keyId: string;
  token: string;
}
let asker: Account;
let reporter: Account;
let stranger: Account;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-resource-server-'));
  database = onPostgres ? await emptyDatabase() : undefined;
  const admin = { email: 'ada@example.com', password: 'correct horse battery' };
  const port = await freePort();
  server = await startProcess({
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATA_DIR: directory,
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
    ORGANIZATION_NAME: 'Acme',
    LOG_LEVEL: 'warn',
    ...(database ? { DATABASE_URL: database.url, PEPPER: randomBytes(32).toString('base64') } : {}),
  });
  const { body } = await server.client.post('/v1/sessions', admin);
  owner = server.client.withToken(body.token);
  organization = `/v1/organizations/${body.organizations[0].id}`;
  await create('permissions', { permission: 'reports:download', description: 'Download reports.' });
  await create('roles', {
    key: 'reporter',
    name: 'Reporter',
    permissions: ['reports:download'],
  });
  asker = await anAccount('Reports API', 'verifier');
  reporter = await anAccount('Monthly Figures', 'reporter');
  stranger = await anAccount('Stranger', 'viewer');
}, 60_000);

afterAll(async () => {
  await server?.stop();
  killLeftovers();
  await database?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

async function create(collection: string, input: object) {
  const { status, body } = await owner.post(`${organization}/${collection}`, input);
  expect(status).toBe(201);
  return body;
}

async function anAccount(name: string, role: string): Promise<Account> {
  const { serviceAccount, key } = await create('service-accounts', { name, role });
  const path = `${organization}/service-accounts/${serviceAccount.id}`;
  return { id: serviceAccount.id, path, keyId: key.id, token: key.token };
}

async function accessToken({ id, token }: Account, resource: string): Promise<string> {
  const basic = Buffer.from([id, token].map(encodeURIComponent).join(':')).toString('base64');
  const response = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { access_token: string }).access_token;
}

let api: ChildProcess | undefined;
let reports: string;

afterEach(async () => {
  if (api === undefined) return;
  const ended = new Promise((resolve) => api?.once('close', resolve));
  api.kill('SIGTERM');
  await ended;
});

/** Starts the example as its README says. */
async function startExample(env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [join(EXAMPLE, 'server.mjs')], {
    env: { PATH: process.env.PATH, PORT: '0', CLAVIGER_URL: server.url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  api = child;
  let output = '';
  reports = await new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /http:\S+(?=\/sales)/.exec(output)?.[0];
      if (url) resolve(url);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('close', (code) => reject(new Error(`exited with ${code}: ${output}`)));
  });
}

async function download(token?: string, file = 'sales-2026.csv') {
  const response = await fetch(`${reports}/${file}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text: await response.text(),
  };
}

const SERVED = { status: 200, type: 'text/csv; charset=utf-8', text: REPORT };

describe('the resource server that asks', () => {
  it('serves the report to a key whose role grants it, and to nobody else', async () => {
    await startExample({ CLAVIGER_TOKEN: asker.token });
    expect(await download(reporter.token)).toEqual(SERVED);
    expect((await download(reporter.token, 'other.csv')).status).toBe(404);
    expect((await download(stranger.token)).status).toBe(403);
    expect((await download()).status).toBe(401);
    expect((await download('nonsense')).status).toBe(401);
    // The question is on the trail, with who was asked about.
    const { body } = await owner.get(`${organization}/audit-events?actor=${asker.id}&limit=200`);
    const names = body.data.flatMap(({ targets }: { targets: { name: string }[] }) =>
      targets.map(({ name }) => name),
    );
    expect(names).toEqual(expect.arrayContaining(['Monthly Figures', 'Stranger']));
  });

  it('refuses a revoked key', async () => {
    await startExample({ CLAVIGER_TOKEN: asker.token });
    const { id, token } = (await owner.post(`${reporter.path}/keys`, { name: 'Second' })).body;
    expect((await owner.delete(`${reporter.path}/keys/${id}`)).status).toBe(204);
    expect((await download(token)).status).toBe(401);
  });
});

describe('the resource server that checks JWTs', () => {
  it('serves the report to an access token for it, and to no other', async () => {
    await startExample({ VERIFY: 'jwt', PUBLIC_URL: AUDIENCE });
    expect(await download(await accessToken(reporter, AUDIENCE))).toEqual(SERVED);
    expect((await download(await accessToken(stranger, AUDIENCE))).status).toBe(403);
    const elsewhere = await accessToken(reporter, 'https://other.example.com');
    expect((await download(elsewhere)).status).toBe(401);
    expect((await download(reporter.token)).status).toBe(401);
    expect((await download()).status).toBe(401);
  });
});
