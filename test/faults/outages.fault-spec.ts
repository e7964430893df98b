import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { killLeftovers, type ServerProcess } from '../process.js';
import { type CuttingProxy, type CutWhen, startCuttingProxy } from './cutting-proxy.js';
import { type Installation, makeParties, newInstallation, type Parties } from './installation.js';
import { expectValid, Ledger } from './ledger.js';
import { startLoad } from './load.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';
import { type Timed, timed } from './timed.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
/** Milliseconds: how long a caller may wait for a refusal, and for the first success once the database is back. */
const STOPPED_WITHIN = 2_500;
const FROZEN_WITHIN = 3_500;
const BACK_WITHIN = 2_000;

let postgres: PostgresServer;
let proxy: CuttingProxy;
let installation: Installation;
let server: ServerProcess;
let parties: Parties;

beforeAll(async () => {
  postgres = await PostgresServer.start();
  const url = new URL(await postgres.createDatabase('outages'));
  proxy = await startCuttingProxy(Number(url.port));
  url.port = String(proxy.port);
  installation = await newInstallation({ DATABASE_URL: url.href });
  server = await installation.start();
  parties = await makeParties(server.client);
});
afterAll(async () => {
  await server?.stop();
  killLeftovers();
  await proxy?.close();
  postgres?.end();
});

let count = 0;

/** A read by a credential that is cached, and a change, at once. */
function askBoth(): Promise<Timed[]> {
  const { admin, accounts } = parties;
  const name = `fault-outage-${(count += 1)}`;
  return Promise.all([
    timed(() => admin.get('/v1/me')),
    timed(() => admin.post(accounts[0]!.keys, { name }, { 'idempotency-key': name })),
  ]);
}

/** Milliseconds until both are answered well again. */
async function untilWell(): Promise<number> {
  const begun = performance.now();
  await eventually(async () => {
    const answers = await askBoth();
    return answers.every(({ answer }) => answer.status < 300) ? true : undefined;
  });
  return performance.now() - begun;
}

/** Everything is refused in time and says when to come again; the process lives and is not ready. */
async function expectOutage(within: number): Promise<number> {
  let slowest = 0;
  // The first requests meet connections that have just broken, the next ones none at all.
  for (let turn = 0; turn < 3; turn += 1) {
    for (const { answer, ms } of await askBoth()) {
      expect({ status: answer.status, body: answer.body?.status }).toEqual({
        status: 503,
        body: 503,
      });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      slowest = Math.max(slowest, ms);
    }
  }
  expect(slowest).toBeLessThan(within);
  expect((await server.client.get('/health/live')).status).toBe(200);
  expect((await server.client.get('/health/ready')).status).toBe(503);
  return slowest;
}

describe('a PostgreSQL that is away', () => {
  it('stopped: 503 in time; when it is back so is the server, without a restart', async () => {
    await untilWell();
    await postgres.stopFast();
    const refusedMs = await expectOutage(STOPPED_WITHIN);
    await postgres.restart();
    const backMs = await untilWell();
    expect(backMs).toBeLessThan(BACK_WITHIN);
    report('PostgreSQL stopped', { refusedMs, backMs });
  });

  it('frozen: the same, within the time-outs', async () => {
    await untilWell();
    postgres.freeze();
    const refusedMs = await expectOutage(FROZEN_WITHIN);
    postgres.thaw();
    const backMs = await untilWell();
    expect(backMs).toBeLessThan(BACK_WITHIN);
    report('PostgreSQL frozen', { refusedMs, backMs });
  });

  it.each([
    [
      'read-only',
      'ALTER SYSTEM SET default_transaction_read_only = on',
      'ALTER SYSTEM RESET default_transaction_read_only',
    ],
    [
      'out of connections',
      'ALTER ROLE claviger CONNECTION LIMIT 0',
      'ALTER ROLE claviger CONNECTION LIMIT -1',
    ],
  ])('%s: 503, nothing half-written, and well again', async (what, begin, end) => {
    await untilWell();
    await postgres.asSuperuser(begin);
    await postgres.asSuperuser('SELECT pg_reload_conf()');
    if (what === 'out of connections') await cutEverything();
    const answers = await eventually(async () => {
      const both = await askBoth();
      return both.every(({ answer }) => answer.status === 503) ? both : undefined;
    });
    expect(answers.map(({ answer }) => answer.headers.get('retry-after'))).toEqual([
      expect.stringMatching(/^\d+$/),
      expect.stringMatching(/^\d+$/),
    ]);
    await postgres.asSuperuser(end);
    await postgres.asSuperuser('SELECT pg_reload_conf()');
    report(`PostgreSQL ${what}`, { backMs: await untilWell() });
    await expectValid(parties.admin, parties.path);
  });
});

function cutEverything(): Promise<unknown[]> {
  return postgres.asSuperuser(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'claviger'",
  );
}

describe('connections that are cut', () => {
  it('all at once, under load: every answer is true', async () => {
    await untilWell();
    const ledger = new Ledger();
    const end = startLoad(parties, ledger);
    for (let round = 0; round < ROUNDS; round += 1) {
      await delay(300);
      await cutEverything();
    }
    await delay(300);
    await end();
    await untilWell();
    const reconciled = await ledger.reconcile(parties);
    expect(reconciled.lost).toBe(0);
    report('all connections cut', { cuts: ROUNDS, ...reconciled, statuses: ledger.statuses() });
  });

  /** What stands in the message that commits the change, and in the one that puts the answer on the trail. */
  const CHANGE = 'key.created';
  const ANSWER = 'audit_append\0';
  const cuts: [string, CutWhen, string][] = [
    ['the change’s COMMIT', 'before', CHANGE],
    ['the change’s COMMIT', 'after', CHANGE],
    ['the event of its answer', 'before', ANSWER],
    ['the event of its answer', 'after', ANSWER],
  ];
  it.each(cuts)('at %s, %s it: a retry gets the truth, once', async (what, when, words) => {
    await untilWell();
    const { admin, accounts, path } = parties;
    const { keys } = accounts[1]!;
    const name = `fault-cut-${(count += 1)}`;
    const create = () => admin.post(keys, { name }, { 'idempotency-key': name });
    const cut = proxy.cutAt(words, when);
    const [first] = await Promise.all([create(), cut]);
    expect(first.status).toBe(503);
    const retry = await eventually(async () => {
      const answer = await create();
      return answer.status === 503 ? undefined : answer;
    });
    expect({ what, status: retry.status }).toEqual({ what, status: 201 });
    // Committed, and nobody heard of it.
    const wasCommitted = when === 'after' || words === ANSWER;
    expect(retry.headers.get('idempotency-replayed')).toBe(wasCommitted ? 'true' : null);
    const { body } = await admin.get(`${path}/keys?search=${name}`);
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual([retry.body.id]);
    const target = `action=key.created&target=${retry.body.id}`;
    const events = await admin.get(`${path}/audit-events?${target}`);
    expect(events.body.data).toHaveLength(1);
  });
});
