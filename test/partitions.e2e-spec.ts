import { afterEach, describe, expect, it } from '@jest/globals';
import { monthOf } from '../src/audit/months.js';
import { ensurePartitions, partitionOf } from '../src/audit/partitions.js';
import { DatabaseService } from '../src/database/database.service.js';
import { databaseConfig, onPostgres, testDatabase, type TestDatabase } from './database.js';
import { anOrganization, aServiceAccount } from './factories.js';
import { eventsOf, startServer } from './harness.js';

const NOW = new Date('2026-11-25T18:00:00Z');
const NEVER = new AbortController().signal;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function aDatabase(): Promise<{ database: DatabaseService; made: TestDatabase }> {
  const made = await testDatabase();
  cleanups.push(made.cleanup);
  return { database: await open(made), made };
}

async function open(made: TestDatabase): Promise<DatabaseService> {
  const database = new DatabaseService(databaseConfig(made));
  await database.open();
  cleanups.push(() => database.close());
  return database;
}

const ensure = (database: DatabaseService, now = NOW) =>
  ensurePartitions({ database, signal: NEVER }, now);

const execute = (database: DatabaseService, text: string) =>
  database.system((tx) => tx.$executeRawUnsafe(text));

async function query<T>(database: DatabaseService, text: string): Promise<T[]> {
  return database.system((tx) => tx.$queryRawUnsafe<T[]>(text));
}

async function insertAt(database: DatabaseService, time: string, sequence = 1): Promise<void> {
  await execute(
    database,
    `INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome)
     VALUES ('some', ${sequence}, '${time}', '{}', '', '', '', 'some.thing', 'success')`,
  );
}

/** The partitions in which the rows of a chain lie, by sequence. */
async function placesOf(database: DatabaseService, chain: string): Promise<string[]> {
  const rows = await query<{ place: string }>(
    database,
    `SELECT tableoid::regclass::text AS place FROM audit_events WHERE chain = '${chain}' ORDER BY sequence`,
  );
  return rows.map(({ place }) => place);
}

const checksOf = (database: DatabaseService) =>
  query(
    database,
    `SELECT conname FROM pg_constraint WHERE conrelid = 'audit_events_default'::regclass AND contype = 'c'`,
  );

describe('the partitions of the trail', () => {
  it('are made at the start, this month and two ahead, and events land in them', async () => {
    const server = await startServer();
    cleanups.push(() => server.close());
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization);
    await account.client.get('/v1/me');
    const now = (await eventsOf(server, { chain: organization.id }))[0]!.occurredAt;
    expect(await placesOf(server.database, organization.id)).toEqual([partitionOf(monthOf(now))]);
    const names = [0, 1, 2].map((later) => partitionOf(monthOf(now, later)));
    expect(server.logs()).toContain(`partitions of the trail made: ${names.join(', ')}`);
    expect(await ensure(server.database, now)).toEqual([]);
  });

  it('that cannot be made keep nobody from starting: the log says so', async () => {
    const made = await testDatabase({ durable: true });
    cleanups.push(made.cleanup);
    const database = new DatabaseService(databaseConfig(made));
    await database.open();
    const name = partitionOf(monthOf(new Date(), 1));
    await execute(database, `CREATE TABLE ${name} ()`);
    await database.close();
    const server = await startServer(made.config);
    cleanups.push(() => server.close());
    expect(server.logs()).toContain('the tables of the trail could not be looked after');
    const account = await aServiceAccount(server, await anOrganization(server));
    expect((await account.client.get('/v1/me')).status).toBe(200);
  });

  it('reach exactly from month to month in UTC', async () => {
    const { database } = await aDatabase();
    expect(await ensure(database)).toEqual([
      'audit_events_2026_11',
      'audit_events_2026_12',
      'audit_events_2027_01',
    ]);
    const times = [
      '2026-10-31T23:59:59.999Z',
      '2026-11-01T00:00:00Z',
      '2026-12-31T23:59:59.999Z',
      '2027-01-01T00:00:00Z',
      '2027-02-01T00:00:00Z',
    ];
    for (const [index, time] of times.entries()) await insertAt(database, time, index + 1);
    expect(await placesOf(database, 'some')).toEqual([
      'audit_events_default',
      'audit_events_2026_11',
      'audit_events_2026_12',
      'audit_events_2027_01',
      'audit_events_default',
    ]);
  });

  it.each([
    `DELETE FROM audit_events_2026_11`,
    `UPDATE audit_events_2026_11 SET body = ''`,
    `TRUNCATE audit_events_2026_11`,
  ])('refuse %s', async (statement) => {
    const { database } = await aDatabase();
    await ensure(database);
    await insertAt(database, '2026-11-02T00:00:00Z');
    await expect(execute(database, statement)).rejects.toThrow('cannot be changed');
  });

  it('show a tenant nothing by themselves', async () => {
    const { database } = await aDatabase();
    await ensure(database);
    const reading = database.tenant('some', (tx) =>
      tx.$queryRawUnsafe('SELECT * FROM audit_events_2026_11'),
    );
    await expect(reading).rejects.toThrow('permission denied');
  });

  it('begin with the next month where this month has events in the default partition', async () => {
    const { database } = await aDatabase();
    await insertAt(database, '2026-11-25T17:00:00Z');
    const months = ['audit_events_2026_12', 'audit_events_2027_01'];
    expect(await ensure(database)).toEqual(months);
    expect(await ensure(database)).toEqual([]);
    await insertAt(database, '2026-11-25T18:00:00Z', 2);
    await insertAt(database, '2026-12-01T00:00:00Z', 3);
    const places = ['audit_events_default', 'audit_events_default', 'audit_events_2026_12'];
    expect(await placesOf(database, 'some')).toEqual(places);
    expect(await checksOf(database)).toEqual([]);
  });

  it('leave out a month of which the default partition has events, and nothing refuses more of them', async () => {
    const { database } = await aDatabase();
    await insertAt(database, '2026-12-05T00:00:00Z');
    expect(await ensure(database)).toEqual(['audit_events_2027_01']);
    expect(await checksOf(database)).toEqual([]);
    await insertAt(database, '2026-12-06T00:00:00Z', 2);
  });

  it('are not made beside rows when their month is about to begin, and what an ended process has left refuses nothing', async () => {
    const { database } = await aDatabase();
    await insertAt(database, '2026-11-25T17:00:00Z');
    await execute(
      database,
      `ALTER TABLE audit_events_default ADD CONSTRAINT audit_events_default_without_2026_12
       CHECK (occurred_at < '2026-12-01T00:00:00Z' OR occurred_at >= '2027-01-01T00:00:00Z') NOT VALID`,
    );
    await expect(insertAt(database, '2026-12-01T00:00:00Z', 2)).rejects.toThrow('without_2026_12');
    const made = await ensure(database, new Date('2026-11-30T23:59:00Z'));
    expect(made).toEqual(['audit_events_2027_01']);
    await insertAt(database, '2026-12-01T00:00:00Z', 2);
  });

  it('are made once by two instances that begin at once', async () => {
    const { database, made } = await aDatabase();
    const other = onPostgres ? await open(made) : database;
    for (const time of ['2026-11-25T17:00:00Z', '2026-11-25T17:00:01Z']) {
      const both = await Promise.all([ensure(database), ensure(other)]);
      expect(both.flat().sort()).toEqual([...new Set(both.flat())].sort());
      await insertAt(database, time, 1);
    }
    const months = [2, 3, 4].map((later) => monthOf(NOW, later));
    const both = await Promise.all([
      ensure(database, months[0]!.from),
      ensure(other, months[0]!.from),
    ]);
    expect(both.flat().sort()).toEqual(months.slice(1).map(partitionOf));
    expect(await checksOf(database)).toEqual([]);
  });

  it('are made while many write, and nobody notices', async () => {
    const server = await startServer();
    cleanups.push(() => server.close());
    const organization = await anOrganization(server);
    const account = await aServiceAccount(server, organization);
    await insertAt(server.database, '2020-01-01T00:00:00Z');
    let isMade = false;
    const latencies: number[] = [];
    const write = async () => {
      while (!isMade) {
        const start = performance.now();
        expect((await account.client.get('/v1/me')).status).toBe(200);
        latencies.push(performance.now() - start);
      }
    };
    const make = async () => {
      let made = 0;
      try {
        for (let year = 2030; year < 2033; year += 1) {
          made += (await ensure(server.database, new Date(Date.UTC(year, 0, 15)))).length;
        }
      } finally {
        isMade = true;
      }
      return made;
    };
    const [made] = await Promise.all([make(), ...Array.from({ length: 8 }, write)]);
    expect(made).toBe(6);
    expect(Math.max(...latencies)).toBeLessThan(1_500);
    const { body } = await (
      await aServiceAccount(server, organization, { role: 'auditor' })
    ).client.get(`${organization.path}/audit-events/verify`);
    expect(body).toMatchObject({ valid: true });
    expect(body.events).toBeGreaterThanOrEqual(latencies.length);
  });
});

(onPostgres ? describe : describe.skip)('on PostgreSQL', () => {
  it('somebody who reads the default partition for long delays the partitions and not the writers', async () => {
    const { database } = await aDatabase();
    await insertAt(database, '2026-11-25T17:00:00Z');
    const reader = await open({ config: database['config'], cleanup: () => Promise.resolve() });
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let isReading: () => void = () => undefined;
    const reading = new Promise<void>((resolve) => (isReading = resolve));
    const long = reader.system(async (tx) => {
      await tx.$queryRawUnsafe('SELECT count(*)::int FROM audit_events_default');
      isReading();
      await released;
    });
    await reading;
    const making = ensure(database);
    const start = performance.now();
    for (let sequence = 2; sequence < 12; sequence += 1) {
      await insertAt(database, '2026-11-25T18:00:00Z', sequence);
    }
    const elapsed = performance.now() - start;
    release();
    await long;
    expect(await making).toEqual(['audit_events_2026_12', 'audit_events_2027_01']);
    expect(elapsed).toBeLessThan(2_000);
  });
});
