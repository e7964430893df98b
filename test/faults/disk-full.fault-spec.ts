import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { killLeftovers, type ServerProcess } from '../process.js';
import { makeParties, newInstallation, type Parties } from './installation.js';
import { Ledger } from './ledger.js';
import { startLoad } from './load.js';
import { PostgresServer } from './postgres-server.js';
import { report } from './report.js';
import { SmallDisk } from './small-disk.js';
import { timed } from './timed.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
const LOAD_MS = 700;
/** Milliseconds: how long a caller may wait for a refusal, and for the first success once there is room. */
const REFUSED_WITHIN = 2_500;
const BACK_WITHIN = 2_000;
const MAIN = join(import.meta.dirname, '../../dist/main.js');

const probe = SmallDisk.mount(1);
probe?.unmount();
if (probe === undefined)
  process.stdout.write('SKIPPED: no disk can be mounted, so a full one is not tested\n');

afterAll(killLeftovers);

let count = 0;

/**
 * What a server answers that can write nothing: 503 in time, and the process is well. On pages that are there already there may
 * still be room for a small event when none is left for a large one, so it is asked until all is refused three times running.
 */
async function expectRefused(server: ServerProcess, { admin, accounts }: Parties, ledger: Ledger) {
  let slowest = 0;
  for (let turns = 0; turns < 3;) {
    const name = `fault-full-${(count += 1)}`;
    const path = accounts[0]!.keys;
    const [read, change] = await Promise.all([
      timed(() => admin.get('/v1/me')),
      timed(() => admin.post(path, { name }, { 'idempotency-key': name })),
    ]);
    if (change.answer.status === 201) ledger.noteCreated(name, change.answer.body.id);
    else ledger.noteDoubtful({ path, name });
    const refused = [read, change].filter(({ answer }) => answer.status === 503);
    for (const { answer, ms } of refused) {
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      slowest = Math.max(slowest, ms);
    }
    for (const { answer } of [read, change]) {
      ledger.note(answer);
      expect([200, 201, 503]).toContain(answer.status);
    }
    turns = refused.length === 2 ? turns + 1 : 0;
  }
  expect(slowest).toBeLessThan(REFUSED_WITHIN);
  expect((await server.client.get('/health/live')).status).toBe(200);
  return slowest;
}

async function untilServed({ admin }: Parties): Promise<number> {
  const begun = performance.now();
  await eventually(async () => ((await admin.get('/v1/me')).status === 200 ? true : undefined));
  const ms = performance.now() - begun;
  expect(ms).toBeLessThan(BACK_WITHIN);
  return ms;
}

/** Fills the disk under load, and empties it, over and over; then everything is held against the trail. */
async function fillUnderLoad(disk: SmallDisk, server: ServerProcess): Promise<object> {
  const parties = await makeParties(server.client);
  const ledger = new Ledger();
  let [refusedMs, backMs] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    const end = startLoad(parties, ledger);
    await delay(LOAD_MS);
    disk.fill();
    // A page that is there already may still have room.
    await eventually(async () =>
      (await parties.admin.get('/v1/me')).status === 503 ? true : undefined,
    );
    refusedMs = Math.max(refusedMs, await expectRefused(server, parties, ledger));
    disk.empty();
    backMs = Math.max(backMs, await untilServed(parties));
    await end();
  }
  const reconciled = await ledger.reconcile(parties);
  expect(await server.stop()).toBe(0);
  return { rounds: ROUNDS, refusedMs, backMs, ...reconciled };
}

(probe === undefined ? describe.skip : describe)('a disk that is full', () => {
  it('of PostgreSQL: 503 in time, nothing half-written, well again once there is room', async () => {
    const postgres = await PostgresServer.start();
    const disk = SmallDisk.mount(48)!;
    try {
      const installation = await newInstallation({
        DATABASE_URL: await postgres.createDatabase('small'),
      });
      await postgres.move('small', disk.path);
      report('disk full, PostgreSQL', await fillUnderLoad(disk, await installation.start()));
    } finally {
      killLeftovers();
      postgres.end();
      disk.unmount();
    }
  });

  it('of the embedded database: the same, and it does not start on one', async () => {
    const disk = SmallDisk.mount(256)!;
    try {
      const installation = await newInstallation({ DATA_DIR: join(disk.path, 'data') });
      report('disk full, embedded', await fillUnderLoad(disk, await installation.start()));
      disk.fill();
      const env = { ...process.env, ...installation.env };
      const { status, stderr } = spawnSync('node', [MAIN], { env, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/DATA_DIR has \d+ MiB left on its disk, and must have 64/),
      });
    } finally {
      killLeftovers();
      disk.unmount();
    }
  });
});
