import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  collectEvent,
  type DatabaseService,
  DatabaseUnavailableError,
} from '../src/database/database.service.js';
import { onPostgres } from './database.js';
import { anEvent, twoTenants } from './tenant-rows.js';

let database: DatabaseService;
let cleanup: () => Promise<void>;

beforeAll(async () => {
  ({ database, cleanup } = await twoTenants());
});

afterAll(() => cleanup());

/** PGlite is this process's own: nothing comes between, and its statements block the clock. */
(onPostgres ? describe : describe.skip)('on PostgreSQL', () => {
  it('two transactions in each other’s way both succeed', async () => {
    const orders = [
      ['org_a', 'org_b'],
      ['org_b', 'org_a'],
    ];
    let waiting = orders.length;
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const runs = orders.map(([first, second]) =>
      database.system(async (tx) => {
        await tx.$executeRaw`UPDATE organizations SET version = version + 1 WHERE id = ${first}`;
        if (--waiting === 0) meet();
        await met;
        await tx.$executeRaw`UPDATE organizations SET version = version + 1 WHERE id = ${second}`;
      }),
    );
    await expect(Promise.all(runs)).resolves.toHaveLength(2);
    expect(waiting).toBeLessThan(0);
  });

  // Behind a PgBouncer a connection has no backend of its own.
  const onOwnBackend = process.env.TEST_POOLER_URL === undefined ? it : it.skip;

  onOwnBackend('a connection of one’s own that is cut is an unavailable database', async () => {
    const connection = await database.openConnection();
    const pid = { name: 'pid', text: 'SELECT pg_backend_pid() AS pid' };
    const [row] = await connection.query<{ pid: number }>(pid, []);
    const kill = { name: 'kill', text: 'SELECT pg_terminate_backend($1, 1000)' };
    await database.raw(kill, [row?.pid]);
    await expect(connection.query(pid, [])).rejects.toThrow(DatabaseUnavailableError);
    await connection.close();
  });

  it('a cut transaction is an unavailable database, and the next one works', async () => {
    const cut = database.system(
      (tx) => tx.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`,
    );
    await expect(cut).rejects.toThrow(DatabaseUnavailableError);
    await database.ping();
    expect(await database.system((tx) => tx.$queryRaw`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });

  it('a statement that takes too long and a full pool are an unavailable database', async () => {
    const begun = performance.now();
    const slow = database.system((tx) => tx.$executeRaw`SELECT pg_sleep(20)`);
    await expect(slow).rejects.toThrow(DatabaseUnavailableError);
    expect(performance.now() - begun).toBeLessThan(3_400);

    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const holders = Array.from({ length: 10 }, () => database.system(() => released));
    await expect(database.system(() => Promise.resolve())).rejects.toThrow(
      DatabaseUnavailableError,
    );
    release();
    await Promise.all(holders);
  });

  it('a transaction that takes too long is an unavailable database, and leaves nothing', async () => {
    const work = database.tenant('org_a', async (tx) => {
      collectEvent(tx, anEvent('org_a', 'test.slow'));
      for (let n = 0; n < 5; n += 1) await tx.$queryRaw`SELECT pg_sleep(1)::text`;
    });
    await expect(work).rejects.toThrow(DatabaseUnavailableError);
    const where = { chain: 'org_a', action: 'test.slow' };
    expect(await database.system((tx) => tx.auditEvent.count({ where }))).toBe(0);
  });
});
