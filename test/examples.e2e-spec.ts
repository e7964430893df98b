import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyDatabase, onPostgres } from './database.js';
import type { Client } from './harness.js';
import { killLeftovers, type ServerProcess, startProcess } from './process.js';

const EXAMPLES = join(import.meta.dirname, '../examples');

let directory: string;
let database: { url: string; cleanup(): Promise<void> } | undefined;
let server: ServerProcess;
let owner: Client;
let organization: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-examples-'));
  database = onPostgres ? await emptyDatabase() : undefined;
  const admin = { email: 'ada@example.com', password: 'correct horse battery' };
  server = await startProcess({
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
}, 60_000);

afterAll(async () => {
  await server?.stop();
  killLeftovers();
  await database?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

async function aToken(name: string, role: string, key: object = {}): Promise<string> {
  const { status, body } = await owner.post(`${organization}/service-accounts`, {
    name,
    role,
    key,
  });
  expect(status).toBe(201);
  return body.key.token;
}

/** Runs an example as its README says. */
function run(script: string, token: string, file: string, { url = server.url } = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env.PATH, CLAVIGER_URL: url, CLAVIGER_TOKEN: token };
    execFile(process.execPath, [join(EXAMPLES, script), file], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** The server, but the first import ends as one does when the database goes away. */
async function aProxyThatFailsOnce() {
  let isFirst = true;
  const relay = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'POST' && isFirst) {
      isFirst = false;
      const last = { totals: { rows: 0 }, complete: false, reason: 'database_unavailable' };
      response.end(`${JSON.stringify(last)}\n`);
      return;
    }
    const { authorization = '', 'content-type': type } = request.headers;
    const answer = await fetch(server.url + request.url!, {
      method: request.method!,
      headers: { authorization, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(request.method === 'POST' ? { body: (await request.toArray()).join('') } : {}),
    });
    response.writeHead(answer.status).end(await answer.text());
  };
  const proxy = createServer((request, response) => void relay(request, response));
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => proxy.close(resolve)),
  };
}

describe('provision-users', () => {
  const script = 'provision-users/provision-users.mjs';

  it('makes the users, changes nothing the second time, and names rows that fail', async () => {
    const token = await aToken('Directory Sync', 'provisioner');
    const file = join(directory, 'users.csv');
    writeFileSync(file, readFileSync(join(EXAMPLES, 'provision-users/users.csv')));

    const first = await run(script, token, file);
    expect(first.stderr).toContain('3/3');
    expect(JSON.parse(first.stdout)).toEqual({ account: 'Directory Sync', rows: 3, created: 3 });
    expect(first.code).toBe(0);
    const users = (await owner.get(`${organization}/users?search=Johnson`)).body.data;
    expect(users).toMatchObject([
      { name: 'Johnson, Katherine', role: { key: 'viewer' }, attributes: { department: 'Flight' } },
    ]);

    expect(JSON.parse((await run(script, token, file)).stdout)).toMatchObject({ unchanged: 3 });

    appendFileSync(file, 'nobody,No Address,viewer,None\n');
    const third = await run(script, token, file);
    expect(third.code).toBe(1);
    expect(JSON.parse(third.stdout)).toMatchObject({ unchanged: 3, failed: 1 });
    expect(JSON.parse(readFileSync(`${file}.failed.ndjson`, 'utf8'))).toMatchObject({
      row: 4,
      email: 'nobody',
      errors: [{ pointer: '/email' }],
    });
  });

  it('sends a chunk again that the server could not finish', async () => {
    const token = await aToken('Patient Sync', 'provisioner');
    const file = join(directory, 'patient.csv');
    writeFileSync(file, 'email,name,role\npatient@example.com,Patient,viewer\n');
    const proxy = await aProxyThatFailsOnce();
    const { stdout } = await run(script, token, file, proxy);
    expect(JSON.parse(stdout)).toEqual({ account: 'Patient Sync', rows: 1, created: 1 });
    await proxy.close();
  });

  it('goes on where it stopped, and stands on the trail by its name', async () => {
    const token = await aToken('Resuming Sync', 'provisioner');
    const file = join(directory, 'many.csv');
    const rows = Array.from(
      { length: 450 },
      (_, index) => `u${index}@example.com,U ${index},viewer`,
    );
    writeFileSync(file, `email,name,role\n${rows.join('\n')}\n`);
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    // As an earlier run leaves it that was stopped after its second chunk.
    writeFileSync(`${file}.progress.json`, JSON.stringify({ hash, done: 400 }));
    expect(JSON.parse((await run(script, token, file)).stdout)).toMatchObject({ created: 50 });
    expect(existsSync(`${file}.progress.json`)).toBe(false);
    const { body } = await owner.get(`${organization}/audit-events?action=user.created&limit=1`);
    expect(body.data[0]).toMatchObject({
      actor: { name: 'Resuming Sync' },
      key: { name: 'Default' },
    });
  });
});

describe('nightly-export', () => {
  const script = 'nightly-export/nightly-export.mjs';
  const sequences = (file: string): number[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).sequence);

  it('appends what is new, mends a row cut in half, and misses nothing', async () => {
    const token = await aToken('Nightly Export', 'auditor');
    const file = join(directory, 'events.ndjson');
    expect((await run(script, token, file)).code).toBe(0);
    const first = sequences(file);
    appendFileSync(file, '{"id":"evt_cut in the mid');
    const second = await run(script, token, file);
    const all = sequences(file);
    expect(all.length).toBeGreaterThan(first.length);
    expect(JSON.parse(second.stdout).newEvents).toBe(all.length - first.length);
    expect(all.slice(0, first.length)).toEqual(first);
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => index + 1));
  });

  it('warns when its key is about to end', async () => {
    const expiresAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const token = await aToken('Ending Export', 'auditor', { expiresAt });
    const { stderr } = await run(script, token, join(directory, 'ending.ndjson'));
    expect(stderr).toContain('WARNING');
    expect(stderr).not.toContain(token);
  });
});
