import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createClient,
  ndjson,
  type ServiceAccountCreated,
} from '../../sdk/typescript/src/index.js';
import { emptyDatabase, onPostgres } from '../database.js';
import { killLeftovers, type ServerProcess, startProcess } from '../process.js';

const ROOT = join(import.meta.dirname, '../..');
const GENERATED = join(ROOT, 'sdk/.generated');
const CACHE = join(ROOT, 'node_modules/.cache/sdk');
const ADMIN = { email: 'ada@example.com', password: 'correct horse battery' };

/** What the generators and clients of each language need on the machine. */
const TOOLS = {
  Python: [['python3', '--version']],
  Go: [
    ['go', 'version'],
    ['java', '-version'],
    ['mvn', '--version'],
  ],
  Java: [
    ['javac', '-version'],
    ['mvn', '--version'],
  ],
};

let directory: string;
let database: { url: string; cleanup(): Promise<void> } | undefined;
let server: ServerProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-sdk-'));
  database = onPostgres ? await emptyDatabase() : undefined;
  server = await startProcess({
    DATA_DIR: directory,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    ORGANIZATION_NAME: 'Acme',
    LOG_LEVEL: 'warn',
    ...(database ? { DATABASE_URL: database.url, PEPPER: randomBytes(32).toString('base64') } : {}),
  });
}, 60_000);

afterAll(async () => {
  await server?.stop();
  killLeftovers();
  await database?.cleanup();
  rmSync(directory, { recursive: true, force: true });
});

/** `it`, or where a tool is missing, a skipped test that says so loudly. */
function itWith(language: keyof typeof TOOLS): typeof it | typeof it.skip {
  const missing = TOOLS[language]
    .filter(([program, argument]) => spawnSync(program!, [argument!]).status !== 0)
    .map(([program]) => program);
  if (missing.length === 0) return it;
  console.error(
    `SKIPPED: the ${language} client is NOT TESTED here: ${missing.join(', ')} missing`,
  );
  return it.skip;
}

function run(program: string, args: string[], options: SpawnSyncOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    ...options,
  });
  if (status !== 0)
    throw new Error(`${program}: ${error?.message ?? String(stdout) + String(stderr)}`);
  return String(stdout);
}

function generate(language: string): void {
  run(process.execPath, ['scripts/sdk.mjs', language]);
}

/** Runs a driver, which prints what it saw as one line of JSON. */
function drive(program: string, args: string[], env: Record<string, string> = {}): unknown {
  const CLAVIGER = {
    CLAVIGER_URL: server.url,
    CLAVIGER_EMAIL: ADMIN.email,
    CLAVIGER_PASSWORD: ADMIN.password,
    CLAVIGER_RUN: randomBytes(4).toString('hex'),
  };
  return JSON.parse(run(program, args, { env: { ...process.env, ...CLAVIGER, ...env } }));
}

/** What every client must have seen: itself under its name, its own requests on the trail, the end of its key. */
function asDriven(language: string): unknown {
  return {
    account: expect.stringMatching(/^sa_/),
    name: `Driven by ${language}`,
    events: expect.any(Number),
    rotatedFromFirst: true,
    afterRevocation: [401, 401],
  };
}

describe('The generated client', () => {
  itWith('Python')('drives the server from Python', () => {
    generate('python');
    const env = { PYTHONPATH: join(GENERATED, 'python'), PYTHONDONTWRITEBYTECODE: '1' };
    const seen = drive(join(CACHE, 'python/bin/python'), ['test/sdk/python/drive.py'], env);
    expect(seen).toEqual(asDriven('Python'));
    expect(seen).toHaveProperty('events', 1);
  });

  itWith('Go')('drives the server from Go', () => {
    generate('go');
    const folder = join(GENERATED, 'go');
    cpSync(join(ROOT, 'test/sdk/go'), join(folder, 'cmd/drive'), { recursive: true });
    const program = join(CACHE, 'drive-go');
    run('go', ['build', '-o', program, './cmd/drive'], { cwd: folder });
    const seen = drive(program, []);
    expect(seen).toEqual(asDriven('Go'));
    expect(seen).toHaveProperty('events', 1);
  });

  itWith('Java')('drives the server from Java', () => {
    generate('java');
    const folder = join(GENERATED, 'java');
    const target = join(folder, 'target');
    // Generating anew removes what was compiled.
    if (!existsSync(join(target, 'dependency'))) {
      const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
      run('mvn', ['-q', '-B', 'compile', ...copy], { cwd: folder });
    }
    const client = `${join(target, 'classes')}:${join(target, 'dependency')}/*`;
    const driver = join(target, 'driver');
    run('javac', ['-cp', client, '-d', driver, 'test/sdk/java/Drive.java']);
    const classpath = `${driver}:${client}`;
    const seen = drive('java', ['-cp', classpath, 'Drive']);
    expect(seen).toEqual(asDriven('Java'));
    expect(seen).toHaveProperty('events', 1);
  });
});

describe('The TypeScript client', () => {
  const baseUrl = () => server.url;
  let organizationId: string;
  let person: ReturnType<typeof createClient>;

  beforeAll(async () => {
    const login = await createClient({ baseUrl: baseUrl() }).sessions.create({ body: ADMIN });
    organizationId = login.organizations[0]!.id;
    person = createClient({ baseUrl: baseUrl(), token: login.token });
  });

  const anAccount = (name: string): Promise<ServiceAccountCreated> =>
    person.serviceAccounts.create({ organizationId, body: { name, role: 'auditor' } });

  it('goes the way of a key, from its making to its end', async () => {
    const { serviceAccount, key } = await anAccount('Driven by TypeScript');
    const serviceAccountId = serviceAccount.id;
    const machine = createClient({ baseUrl: baseUrl(), token: key.token! });
    expect(await machine.me.get()).toMatchObject({
      kind: 'serviceAccount',
      name: 'Driven by TypeScript',
    });
    const events = await machine.auditEvents.list({ organizationId, actor: serviceAccountId });
    expect(events.data).toEqual([expect.objectContaining({ route: '/v1/me', status: 200 })]);
    const rotated = await person.keys.rotate({
      organizationId,
      serviceAccountId,
      keyId: key.id,
      body: { overlapSeconds: 3600 },
    });
    expect(rotated.rotatedFromId).toBe(key.id);
    const successor = createClient({ baseUrl: baseUrl(), token: rotated.token! });
    await machine.me.get();
    await successor.me.get();
    await person.keys.revoke({ organizationId, serviceAccountId, keyId: key.id });
    await person.keys.revoke({ organizationId, serviceAccountId, keyId: rotated.id });
    for (const client of [machine, successor]) {
      await expect(client.me.get()).rejects.toMatchObject({
        name: 'ProblemError',
        status: 401,
        requestId: expect.stringMatching(/^req_/),
      });
    }
  });

  it('iterates over all pages', async () => {
    for (const name of ['Page a', 'Page b', 'Page c']) await anAccount(name);
    const names: string[] = [];
    const accounts = person.serviceAccounts.list({ organizationId, search: 'Page', limit: 1 });
    for await (const account of accounts) names.push(account.name);
    expect(names).toEqual(['Page a', 'Page b', 'Page c']);
    expect((await accounts).data).toHaveLength(1);
  });

  it('creates once with the same idempotency key', async () => {
    const input = {
      organizationId,
      idempotencyKey: 'the-same',
      body: { name: 'Once', role: 'viewer' },
    };
    const first = await person.serviceAccounts.create(input);
    expect((await person.serviceAccounts.create(input)).serviceAccount.id).toBe(
      first.serviceAccount.id,
    );
  });

  it('streams an export, row by row', async () => {
    const { key } = await anAccount('Exporter');
    const machine = createClient({ baseUrl: baseUrl(), token: key.token! });
    const stream = await machine.exports.serviceAccounts({ organizationId, format: 'ndjson' });
    const names: string[] = [];
    for await (const row of ndjson<{ name: string }>(stream)) names.push(row.name);
    expect(names).toContain('Exporter');
  });

  it('throws what the server says of a bad input', async () => {
    await expect(anAccount('')).rejects.toMatchObject({
      status: 400,
      code: 'validation_failed',
      problem: { errors: [{ pointer: '/name' }] },
    });
  });
});
