import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contained, healthCheck, whyNotContained } from './container.js';
import { importFrom } from './imports.js';
import { INHERITED, killLeftovers, type ServerProcess, startCommand } from './process.js';

const folder = mkdtempSync(join(tmpdir(), 'claviger-read-only-'));
const [root, data] = [join(folder, 'root'), join(folder, 'data')];
for (const path of [root, data]) mkdirSync(path);
if (process.getuid?.() === 0) chownSync(data, 1000, 1000);

const reason = whyNotContained(root, data);
if (reason !== undefined) {
  const skipped = 'SKIPPED: the server in a read-only file system, as another user. This machine';
  process.stderr.write(`\n${skipped} makes no such place: ${reason}\n\n`);
}

/** Runs a command beside the server, in a container like its own. */
function runBeside(command: string[], env: Record<string, string> = {}) {
  const [file, ...args] = contained(root, data, command);
  return spawnSync(file, args, { encoding: 'utf8', env: { ...INHERITED, ...env } });
}

/** Tells, as the server would find it, who it is and what it can write to. */
const LOOK = `
const { accessSync, rmSync, writeFileSync } = require('node:fs');
const tried = {};
for (const folder of ['/', '/app', '/app/dist', '/app/node_modules/fastify', '/app/prisma', '/usr', '/etc', '/data', '/tmp']) {
  try { writeFileSync(folder + '/probe', ''); rmSync(folder + '/probe'); tried[folder] = 'written'; }
  catch ({ code }) { tried[folder] = code; }
}
let cli; try { require.resolve('prisma/package.json', { paths: ['/app'] }); cli = 'there'; } catch { cli = 'not there'; }
console.log(JSON.stringify({ user: [process.getuid(), process.getgid()], groups: process.getgroups(), tried, cli }));`;

(reason === undefined ? describe : describe.skip)('a server as the image runs it', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const env = {
      NODE_ENV: 'production',
      DATA_DIR: '/data',
      ADMIN_EMAIL: 'ada@example.com',
      ADMIN_PASSWORD: 'correct horse battery',
      ORGANIZATION_NAME: 'Acme',
    };
    server = await startCommand(env, contained(root, data, ['node', 'dist/main.js']));
    // It makes its database anew, which is slow where much else is going on.
  }, 120_000);
  afterAll(() => {
    killLeftovers();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is nobody who may do anything, and can write to /data and /tmp alone', () => {
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    const said = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect([name, said(name)]).toEqual([name, '0000000000000000']);
    expect(said('NoNewPrivs')).toBe('1');
    expect(said('Uid')).not.toMatch(/\b0\b/);
    const { stdout, stderr } = runBeside(['node', '-e', LOOK]);
    expect(stderr).toBe('');
    const { user, groups, tried, cli } = JSON.parse(stdout);
    expect(user).toEqual([1000, 1000]);
    expect(groups).not.toContain(0);
    const { '/data': ofData, '/tmp': ofTmp, ...others } = tried;
    expect([ofData, ofTmp]).toEqual(['written', 'written']);
    expect(new Set(Object.values(others))).toEqual(new Set(['EROFS']));
    expect(cli).toBe('not there');
  });

  it('serves the panel, changes things and takes a file', async () => {
    expect((await fetch(server.url)).headers.get('content-type')).toMatch(/^text\/html/);
    const { status, body } = await server.client.post('/v1/sessions', {
      email: 'ada@example.com',
      password: 'correct horse battery',
    });
    expect(status).toBe(201);
    const admin = server.client.withToken(body.token);
    const organization = `/v1/organizations/${body.organizations[0].id}`;
    const account = { name: 'Salesforce Integration', role: 'provisioner' };
    const created = await admin.post(`${organization}/service-accounts`, account);
    expect(created.status).toBe(201);
    const machine = server.client.withToken(created.body.key.token);
    expect((await machine.get('/v1/me')).status).toBe(200);
    const file = 'email,name,role\ngrace@example.com,Grace,viewer\n';
    const { last } = await importFrom(machine, `${organization}/users/import`, file);
    expect(last).toMatchObject({ totals: { created: 1, failed: 0 } });
  });

  it('is found healthy without a shell, and ends at once when it is told to', async () => {
    const env = { PORT: new URL(server.url).port };
    expect(runBeside(healthCheck(), env)).toMatchObject({ status: 0, stderr: '' });
    expect(await server.stop()).toBe(0);
    expect(runBeside(healthCheck(), env)).toMatchObject({ status: 1, stderr: '' });
    expect(server.output()).not.toMatch(/EROFS|EACCES|EPERM/);
  });
});
