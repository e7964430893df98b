import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventHash, GENESIS_HASH } from '../src/audit/chain.js';
import { CheckpointSigner, signerOf } from '../src/audit/checkpoint.js';
import { Checkpoints } from '../src/audit/checkpoints.js';
import { type AuditBody, toPendingEvent } from '../src/audit/event.js';
import { monthOf } from '../src/audit/months.js';
import { ensurePartitions, partitionOf } from '../src/audit/partitions.js';
import { dropArchived, retire, type Retention } from '../src/audit/retention.js';
import { isSignedTombstone, parseTombstone, signTombstone } from '../src/audit/tombstone.js';
import { verifyExport } from '../src/audit/verify-export.js';
import { Seals } from '../src/crypto/seal.js';
import { runCli } from './cli.js';
import { testDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { anOrganization, aPerson, aServiceAccount, type TestOrganization } from './factories.js';
import { eventsOf, startServer, type TestServer } from './harness.js';
import { failToStart } from './process.js';

const NOW = new Date();
const PEPPER = Buffer.alloc(32, 9);
/** Kept: this month and the one before. */
const MONTHS = 1;
const FIRST = 9;

let made: TestDatabase;
const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
  await made.cleanup();
});

async function start(auditRetentionMonths?: number): Promise<TestServer> {
  const server = await startServer({
    ...made.config,
    pepper: PEPPER,
    ...(auditRetentionMonths === undefined ? {} : { auditRetentionMonths }),
  });
  open.push(server);
  return server;
}

async function stop(server: TestServer): Promise<void> {
  open.splice(open.indexOf(server), 1);
  await server.close();
}

const maintenanceOf = (server: TestServer): Retention => ({
  database: server.database,
  signal: new AbortController().signal,
  signer: signerOf(server.instance.secret),
  instance: server.instance.uid,
  months: MONTHS,
});

const execute = (server: TestServer, ...statements: string[]) =>
  server.database.system(async (tx) => {
    for (const statement of statements) await tx.$executeRawUnsafe(statement);
  });

/** What only somebody with the database itself can do. */
const tamper = (server: TestServer, ...statements: string[]) => {
  const tables = ['audit_events', 'audit_tombstones'];
  return execute(
    server,
    ...tables.map((table) => `ALTER TABLE ${table} DISABLE TRIGGER USER`),
    ...statements,
    ...tables.map((table) => `ALTER TABLE ${table} ENABLE TRIGGER USER`),
  );
};

/** Events so many months ago, four each, as the server would have written and sealed them. */
async function anOldChain(
  server: TestServer,
  { id }: TestOrganization,
  monthsAgo: readonly number[],
): Promise<void> {
  const seals = server.app.get(Seals);
  let previousHash = GENESIS_HASH;
  const times = monthsAgo.flatMap((ago) =>
    [1, 2, 3, 4].map((day) => new Date(monthOf(NOW, -ago).from.getTime() + day * 86_400_000)),
  );
  const events = times.map((occurredAt, index) => {
    const event = {
      ...toPendingEvent(id, bodyOf(id, index)),
      sequence: BigInt(index + 1),
      occurredAt,
    };
    const hash = Buffer.from(eventHash({ ...event, previousHash }, previousHash));
    const row = { ...event, previousHash, hash, seal: seals.event(id, event.body) };
    previousHash = hash;
    return row;
  });
  await server.database.system(async (tx) => {
    await tx.auditEvent.createMany({ data: events });
    await tx.auditSeal.createMany({
      data: events.map(({ sequence, hash }) => ({
        chain: id,
        sequence,
        seal: seals.head(id, sequence, hash),
      })),
    });
    const last = { sequence: events.at(-1)!.sequence, hash: Buffer.from(previousHash) };
    await tx.auditHead.update({ where: { chain: id }, data: last });
  });
}

function bodyOf(organizationId: string, number: number): AuditBody {
  return {
    action: 'http.request',
    outcome: 'success',
    organizationId,
    actor: { type: 'serviceAccount', id: 'sa_old', name: `Account ${number}` },
    key: null,
    targets: [],
    permission: null,
    method: 'GET',
    route: '/v1/me',
    path: '/v1/me',
    status: 200,
    reason: null,
    ip: '192.0.2.1',
    userAgent: null,
    requestId: null,
    changes: null,
  };
}

/** A server whose trail is some months old; the partitions of those months are there, unless all lies in the default one. */
async function anOldServer(
  monthsAgo = [3, 2, 1],
  { inDefault = false, durable = false } = {},
): Promise<{ server: TestServer; organization: TestOrganization }> {
  made = await testDatabase({ durable });
  const server = await start();
  if (!inDefault) await ensurePartitions(maintenanceOf(server), monthOf(NOW, -3).from);
  const organization = await anOrganization(server);
  await anOldChain(server, organization, monthsAgo);
  return { server, organization };
}

async function auditorOf(server: TestServer, organization: TestOrganization) {
  const auditor = await aServiceAccount(server, organization, { role: 'auditor' });
  const get = async (path: string) =>
    (await auditor.client.get(`${organization.path}/audit-events${path}`)).body;
  return { token: auditor.token, verify: (query = '') => get(`/verify${query}`), get };
}

/** Waits until the server has retired what is due. */
const retired = (server: TestServer) =>
  eventually(() => Promise.resolve(server.logs().includes('retired of the trail:') || undefined));

const names = async (server: TestServer, schema: string) =>
  (
    await server.database.system((tx) =>
      tx.$queryRawUnsafe<{ name: string }[]>(
        `SELECT tablename::text AS name FROM pg_tables WHERE schemaname = '${schema}' AND tablename LIKE 'audit_events%' ORDER BY 1`,
      ),
    )
  ).map(({ name }) => name);

async function exported(server: TestServer, organization: TestOrganization, token: string) {
  const path = `${organization.path}/audit-events/export?format=ndjson&sort=occurredAt`;
  const response = await fetch(`${server.url}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return response.text();
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text));
}

describe('retention', () => {
  it('takes whole months off, and leaves a signed tombstone with which the rest is verified', async () => {
    const { server: before, organization } = await anOldServer([3, 2, 1], { durable: true });
    const idle = await anOrganization(before);
    await anOldChain(before, idle, [3]);
    const [last] = (await eventsOf(before, { chain: idle.id })).slice(-1);
    before.app.get(Checkpoints).note([{ ...last!, chain: idle.id }]);
    expect(await (await auditorOf(before, organization)).verify()).toMatchObject({
      valid: true,
      events: 12,
    });
    await stop(before);

    const server = await start(MONTHS);
    await retired(server);
    const { verify, get, token } = await auditorOf(server, organization);
    const answer = await verify();
    expect(answer).toMatchObject({ valid: true, retiredThrough: 8, head: { sequence: 13 } });
    expect(answer.events).toBe(5);
    expect(answer.tombstone.tombstone).toMatchObject({
      chain: organization.id,
      sequence: 8,
      events: 8,
      firstAt: new Date(monthOf(NOW, -3).from.getTime() + 86_400_000).toISOString(),
    });
    expect(isSignedTombstone(answer.tombstone)).toBe(true);
    expect(await verify('?fromSequence=3&limit=2')).toMatchObject({ events: 2, next: FIRST + 2 });
    expect(await verify(`?fromSequence=${FIRST + 1}`)).toMatchObject({ valid: true });
    const { data } = await get('?sort=occurredAt&limit=1');
    expect(data[0].sequence).toBe(FIRST);

    const administrator = await aPerson(server, null, { instanceAdministrator: true });
    const trail = await administrator.client.get('/v1/audit-events?action=audit.retired');
    const months = [3, 2].map((ago) => partitionOf(monthOf(NOW, -ago)));
    const details = { partitions: months, chains: 2, events: 12 };
    expect(trail.body.data).toMatchObject([{ actor: { type: 'system' }, details }]);
    expect((await administrator.client.get('/v1/audit-events/verify')).body.valid).toBe(true);
    expect(await names(server, 'audit_retired')).toHaveLength(2);

    const log = join(made.config.dataDir, 'checkpoints.log');
    const collected = readFileSync(log, 'utf8');
    expect(collected.split('\n').map(parseTombstone)).toContainEqual(answer.tombstone);

    const text = await exported(server, organization, token);
    const tombstones = [answer.tombstone.tombstone];
    const found = await verifyExport(chunksOf(text), { checkpoints: [], tombstones });
    expect(found).toMatchObject({ first: FIRST, retired: tombstones[0] });
    expect(found).not.toHaveProperty('fault');
    const [first] = text.split('\n');
    const other = [{ ...tombstones[0], hash: 'ab'.repeat(32) }];
    expect(
      (await verifyExport(chunksOf(first!), { checkpoints: [], tombstones: other })).fault,
    ).toMatch(/^event 9 .*saw another event 8/);

    // The file's last checkpoint of the idle chain is of an event that is gone.
    await stop(server);
    const again = await start(MONTHS);
    expect(await (await auditorOf(again, idle)).verify()).toMatchObject({
      valid: true,
      events: 0,
      retiredThrough: 4,
    });
    await stop(again);
    const file = join(made.config.dataDir, 'export.ndjson');
    writeFileSync(file, text);
    writeFileSync(`${file}.log`, collected);
    const verified = await runCli(['verify', file, '--checkpoints', `${file}.log`], {});
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout).toContain('Retention took the events up to 8 off the trail');
    const forged = JSON.stringify({ ...answer.tombstone, signature: 'A'.repeat(86) });
    writeFileSync(`${file}.log`, `${forged}\n`);
    const refused = await runCli(['verify', file, '--checkpoints', `${file}.log`], {});
    expect(refused.stderr).toContain('is forged');
  }, 60_000);

  it('without a valid tombstone a chain that lacks its beginning was tampered with', async () => {
    const { server, organization } = await anOldServer();
    const retention = maintenanceOf(server);
    const chain = organization.id;
    const { tombstones } = await retire(retention, NOW);
    const { verify } = await auditorOf(server, organization);
    expect(await verify()).toMatchObject({ valid: true, retiredThrough: 8 });

    const { tombstone } = tombstones.find((one) => one.tombstone.chain === chain)!;
    const next = (await eventsOf(server, { chain }))[0]!;
    const hash = Buffer.from(next.hash).toString('hex');
    const further = { ...tombstone, sequence: FIRST, hash };
    const another = signTombstone(new CheckpointSigner(Buffer.alloc(32, 1)), further);
    const ours = retention.signer.publicKey;
    const row = (key: string, signature: string) =>
      `INSERT INTO audit_tombstones SELECT chain, ${FIRST}, '\\x${hash}', events, first_at, last_at, at, '${key}', '${signature}'
       FROM audit_tombstones WHERE chain = '${chain}' AND sequence = 8`;
    const insert = (key: string, signature: string) => tamper(server, row(key, signature));
    const removeForged = `DELETE FROM audit_tombstones WHERE sequence = ${FIRST}`;

    await tamper(server, `DELETE FROM audit_events WHERE chain = '${chain}' AND sequence = 9`);
    for (const [key, signature] of [
      [another.key, another.signature],
      [ours, another.signature],
      [ours, tombstones[0]!.signature],
    ] as const) {
      await insert(key, signature);
      const answer = { valid: false, firstBadSequence: FIRST, retiredThrough: 8 };
      expect(await verify()).toMatchObject(answer);
      await tamper(server, removeForged);
    }
    await tamper(server, `UPDATE audit_tombstones SET events = events + 1`);
    expect(await verify()).toMatchObject({ valid: false, firstBadSequence: 1 });
    await tamper(server, `DELETE FROM audit_tombstones`);
    const gone = await verify();
    expect(gone).toMatchObject({ valid: false, firstBadSequence: 1 });
    expect(gone).not.toHaveProperty('retiredThrough');
  });

  it.each([
    ['an event is missing', `DELETE FROM audit_events WHERE chain = '{chain}' AND sequence = 3`],
    [
      'one is missing and another one doubled',
      `UPDATE audit_events SET sequence = 4 WHERE chain = '{chain}' AND sequence = 3`,
    ],
    ['the first is missing', `DELETE FROM audit_events WHERE chain = '{chain}' AND sequence = 1`],
    [
      'a later one would go before an earlier one',
      `UPDATE audit_events SET occurred_at = (SELECT max(occurred_at) FROM audit_events) WHERE chain = '{chain}' AND sequence = 3`,
    ],
  ])('keeps a month in which %s', async (_, statement) => {
    const { server, organization } = await anOldServer();
    await tamper(server, statement.replaceAll('{chain}', organization.id));
    const { kept, ...nothing } = await retire(maintenanceOf(server), NOW);
    expect(nothing).toEqual({ partitions: [], tombstones: [] });
    expect(kept).toContain(organization.id);
    expect(await names(server, 'audit_retired')).toEqual([]);
  });

  it('goes on where it ended, month by month, and takes nothing that is not due', async () => {
    const { server, organization } = await anOldServer([3, 2, 1]);
    const retention = maintenanceOf(server);
    const early = await retire(retention, new Date(monthOf(NOW, -1).from.getTime()));
    expect(early.partitions).toEqual([partitionOf(monthOf(NOW, -3))]);
    expect(await (await auditorOf(server, organization)).verify()).toMatchObject({
      valid: true,
      retiredThrough: 4,
    });
    const later = await retire(retention, NOW);
    expect(later.tombstones.map(({ tombstone }) => [tombstone.sequence, tombstone.events])).toEqual(
      [[8, 4]],
    );
    expect((await retire(retention, NOW)).partitions).toEqual([]);
    expect(await (await auditorOf(server, organization)).verify()).toMatchObject({
      valid: true,
      retiredThrough: 8,
    });
  });

  it('takes the default partition too, when all in it is due, and there is a new one', async () => {
    const { server, organization } = await anOldServer([3, 2], { inDefault: true });
    const retention = maintenanceOf(server);
    expect((await retire(retention, monthOf(NOW, -1).from)).partitions).toEqual([]);
    expect((await retire(retention, NOW)).partitions).toEqual(['audit_events_default']);
    const { verify } = await auditorOf(server, organization);
    expect(await verify()).toMatchObject({ valid: true, retiredThrough: 8, events: 0 });
    expect(await verify()).toMatchObject({ valid: true, events: 1 });
    const other = await anOrganization(server);
    await anOldChain(server, other, [1]);
    expect(await (await auditorOf(server, other)).verify()).toMatchObject({ events: 4 });
    const truncating = execute(server, 'TRUNCATE audit_events_default');
    await expect(truncating).rejects.toThrow('cannot be changed');
    expect((await retire(retention, NOW)).partitions).toEqual([]);
  });

  it('happens once when two begin at once, and nobody who writes meanwhile notices', async () => {
    const { server, organization } = await anOldServer();
    const account = await aServiceAccount(server, organization);
    let isDone = false;
    const write = async () => {
      while (!isDone) expect((await account.client.get('/v1/me')).status).toBe(200);
    };
    const writing = Promise.all(Array.from({ length: 8 }, write));
    const both = await Promise.all([1, 2].map(() => retire(maintenanceOf(server), NOW))).finally(
      () => (isDone = true),
    );
    await writing;
    expect(both.map(({ tombstones }) => tombstones.length).sort()).toEqual([0, 1]);
    const { verify } = await auditorOf(server, organization);
    expect(await verify()).toMatchObject({ valid: true, retiredThrough: 8 });
  });

  it('drops for good a month later', async () => {
    const { server } = await anOldServer();
    await retire(maintenanceOf(server), NOW);
    const archived = await names(server, 'audit_retired');
    expect(archived).toHaveLength(2);
    const at = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
    expect(await dropArchived(maintenanceOf(server), at(26))).toEqual([]);
    expect((await dropArchived(maintenanceOf(server), at(33))).sort()).toEqual(archived);
    expect(await names(server, 'audit_retired')).toEqual([]);
  });
});

describe('a database that was set back', () => {
  it('is noticed although a tombstone covers the chain, when the event was another one', async () => {
    const { server, organization } = await anOldServer([3], { durable: true });
    const last = (await eventsOf(server, { chain: organization.id })).at(-1)!;
    server.app.get(Checkpoints).note([{ ...last, hash: Buffer.alloc(32, 5) }]);
    await retire(maintenanceOf(server), NOW);
    await stop(server);
    const { databaseUrl, dataDir } = made.config;
    const { code, output } = await failToStart({
      PEPPER: PEPPER.toString('base64'),
      DATA_DIR: dataDir,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    });
    expect(code).toBe(1);
    expect(output).toContain(`${organization.id}: event 4 was on it`);
  });
});
