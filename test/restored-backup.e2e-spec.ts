import { afterEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint } from '../src/audit/checkpoint.js';
import { runCli } from './cli.js';
import { onServer, testDatabase, type TestDatabase } from './database.js';
import { anOrganization, aPerson, aServiceAccount } from './factories.js';
import { startServer } from './harness.js';
import { failToStart } from './process.js';

const PEPPER = Buffer.alloc(32, 7);

let database: TestDatabase;
afterEach(() => database.cleanup());

/** Copies the database; the answer puts it back as it was. Nobody may be connected at either time. */
async function backUp(): Promise<() => Promise<void>> {
  const { databaseUrl, dataDir } = database.config;
  if (databaseUrl !== undefined) {
    const name = new URL(databaseUrl).pathname.slice(1);
    await onServer(`CREATE DATABASE "${name}_copy" TEMPLATE "${name}"`);
    return async () => {
      await onServer(`DROP DATABASE "${name}" WITH (FORCE)`);
      await onServer(`ALTER DATABASE "${name}_copy" RENAME TO "${name}"`);
    };
  }
  const copy = join(dataDir, 'copy');
  cpSync(join(dataDir, 'pg'), copy, { recursive: true });
  return () => {
    rmSync(join(dataDir, 'pg'), { recursive: true });
    cpSync(copy, join(dataDir, 'pg'), { recursive: true });
    return Promise.resolve();
  };
}

const start = () => startServer({ ...database.config, pepper: PEPPER });

function environment(): Record<string, string> {
  const { databaseUrl, dataDir } = database.config;
  return {
    PEPPER: PEPPER.toString('base64'),
    DATA_DIR: dataDir,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  };
}

const logFile = () => join(database.config.dataDir, 'checkpoints.log');
const lines = () => readFileSync(logFile(), 'utf8').trimEnd().split('\n');
const checkpoints = () => lines().map((line) => parseCheckpoint(line)!.checkpoint);

describe('a restored backup', () => {
  it('is noticed at the start, whatever it was for, and goes on the trail when it is accepted', async () => {
    database = await testDatabase({ durable: true });
    let server = await start();
    const organization = await anOrganization(server);
    const owner = await aPerson(server, organization);
    const account = await aServiceAccount(server, organization, { role: 'auditor' });
    await server.close();
    const restore = await backUp();

    server = await start();
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(200);
    await server.close();
    const earlier = lines().findLast((line) => line.includes(`"${organization.id}"`))!;
    server = await start();
    const keyPath = `${account.path}/keys/${account.keyId}`;
    expect((await server.client.withToken(owner.client.token).delete(keyPath)).status).toBe(204);
    await server.close();
    const last = checkpoints()
      .filter(({ chain }) => chain === organization.id)
      .at(-1)!;
    // Workers do not write in the order in which they sign.
    appendFileSync(logFile(), `${earlier}\n`);
    await restore();

    const refused = await failToStart(environment());
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(
      `${organization.id}: event ${last.sequence} was on it at ${last.at}`,
    );
    expect(refused.output).toContain('claviger accept-restore');
    const accepted = await runCli(['accept-restore'], environment());
    expect(accepted).toMatchObject({ code: 0, stderr: '' });
    expect(accepted.stdout).toMatch(/^Accepted for \d+ chain/);

    server = await start();
    // It is what the backup says: that is why it must be noticed.
    expect((await server.client.withToken(account.token).get('/v1/me')).status).toBe(200);
    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const trail = await administrator.client.get(
      '/v1/audit-events?action=instance.restore_accepted',
    );
    expect(trail.body.data).toMatchObject([
      { actor: { type: 'system' }, details: { lastCheckpointAt: expect.any(String) } },
    ]);
    expect((await administrator.client.get('/v1/audit-events/verify')).body.valid).toBe(true);
    const auditor = server.client.withToken(account.token);
    const { body } = await auditor.get(`${organization.path}/audit-events/verify`);
    expect(body.valid).toBe(true);
    const exported = await fetch(
      `${server.url}${organization.path}/audit-events/export?format=ndjson`,
      { headers: { authorization: `Bearer ${account.token}` } },
    );
    const file = join(database.config.dataDir, 'export.ndjson');
    writeFileSync(file, await exported.text());
    const key = /"key":"([^"]+)"/.exec(readFileSync(logFile(), 'utf8'))![1]!;
    await server.close();
    const args = ['verify', file, '--checkpoints', logFile(), '--key', key];
    const setBack = checkpoints().find((one) => one.setBackFrom === last.sequence)!;
    const verified = await runCli([...args, '--exported-at', setBack.at], {});
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout).toContain(`events ${setBack.sequence + 1} to ${last.sequence}`);
    await (await start()).close();
    expect((await runCli(['accept-restore'], environment())).stdout).toContain('nothing to accept');
  }, 120_000);

  it('is told from another database', async () => {
    database = await testDatabase({ durable: true });
    const server = await start();
    const organization = await anOrganization(server);
    await (await aServiceAccount(server, organization)).client.get('/v1/me');
    await server.close();
    const [line] = readFileSync(logFile(), 'utf8').split('\n');
    const other = JSON.parse(line!) as { checkpoint: { instance: string; sequence: number } };
    other.checkpoint.instance = 'another';
    other.checkpoint.sequence += 1_000;
    writeFileSync(logFile(), `${line}\n${JSON.stringify(other)}\nnot a checkpoint\n`);
    await (await start()).close();
  }, 60_000);
});
