import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import {
  collectEvent,
  type DatabaseService,
  DatabaseUnavailableError,
  raiseEpoch,
  type Tx,
} from '../src/database/database.service.js';
import { isUniqueViolation, sqlState } from '../src/database/errors.js';
import { anEvent, twoTenants } from './tenant-rows.js';

const TENANT_TABLES = [
  'organizations',
  'roles',
  'memberships',
  'service_accounts',
  'keys',
  'key_usage',
  'invitations',
  'registered_permissions',
  'revoked_access_tokens',
  'users',
  'audit_events',
  'audit_heads',
  'audit_seals',
  'audit_checkpoints',
  'audit_tombstones',
];

let database: DatabaseService;
let cleanup: () => Promise<void>;

beforeAll(async () => {
  ({ database, cleanup } = await twoTenants());
});

afterAll(() => cleanup());

async function countRows(tx: Tx, table: string): Promise<number> {
  const [row] = await tx.$queryRawUnsafe<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM ${table}`,
  );
  return row?.count ?? -1;
}

async function eventsOf(chain: string, action: string): Promise<{ body: string }[]> {
  return database.system((tx) =>
    tx.auditEvent.findMany({ where: { chain, action }, orderBy: { sequence: 'asc' } }),
  );
}

async function failsWith(work: Promise<unknown>, state: string): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(sqlState(error)).toBe(state);
}

/** Has the statement fail as if another transaction had been in the way. */
async function conflict(tx: Tx): Promise<void> {
  await tx.$executeRawUnsafe(
    "DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$",
  );
}

describe('row-level security', () => {
  it.each(TENANT_TABLES)('shows nobody %s without an organization', async (table) => {
    const asRole = database.system(async (tx) => {
      await tx.$executeRaw`SELECT set_config('role', 'claviger_app', true)`;
      return countRows(tx, table === 'users' ? '(SELECT id FROM users) AS u' : table);
    });
    expect(await asRole).toBe(0);
  });

  it.each(TENANT_TABLES)('shows a tenant its own rows of %s only', async (table) => {
    const countable = table === 'users' ? '(SELECT id FROM users) AS u' : table;
    const all = await database.system((tx) => countRows(tx, countable));
    const own = await database.tenant('org_a', (tx) => countRows(tx, countable));
    expect(own).toBeGreaterThan(0);
    expect(all).toBeGreaterThanOrEqual(2 * own);
  });

  it("keeps a tenant from writing another organization's rows", async () => {
    const stolen = database.tenant('org_a', (tx) =>
      tx.role.create({ data: { organizationId: 'org_b', key: 'mine', name: 'Mine' } }),
    );
    await failsWith(stolen, '42501');
    const renamed = await database.tenant('org_a', (tx) =>
      tx.organization.updateMany({ where: { id: 'org_b' }, data: { name: 'mine' } }),
    );
    expect(renamed.count).toBe(0);
  });

  it('holds for the transaction alone: after it the connection is the login again', async () => {
    const login = await database.system((tx) => tx.$queryRaw`SELECT session_user::text AS who`);
    const inside = await database.tenant(
      'org_a',
      (tx) => tx.$queryRaw`SELECT current_user::text AS who`,
    );
    const after = { name: 'who', text: 'SELECT current_user::text AS who' };
    const setting = {
      name: 'setting',
      text: "SELECT coalesce(current_setting('app.organization_id', true), '') AS id",
    };
    expect(inside).toEqual([{ who: 'claviger_app' }]);
    expect(await database.raw(after, [])).toEqual(login);
    expect(await database.raw(setting, [])).toEqual([{ id: '' }]);
  });
});

describe('the trail', () => {
  const changes = [
    "UPDATE audit_events SET body = '{}'",
    'DELETE FROM audit_events',
    'TRUNCATE audit_events',
    'TRUNCATE audit_events_default',
    'DELETE FROM audit_events_default',
    'DELETE FROM audit_heads',
    'TRUNCATE audit_heads',
    'DELETE FROM audit_seals',
    'UPDATE audit_checkpoints SET hash = key::bytea',
    'TRUNCATE audit_checkpoints',
    'UPDATE audit_tombstones SET events = 1',
    'DELETE FROM audit_tombstones',
    'TRUNCATE audit_tombstones',
  ];

  it.each(changes)('refuses the owner of the tables: %s', async (statement) => {
    await failsWith(
      database.system((tx) => tx.$executeRawUnsafe(statement)),
      '42501',
    );
  });

  it.each([...changes, 'UPDATE audit_heads SET auth_epoch = 0'])(
    'refuses a tenant: %s',
    async (statement) => {
      await failsWith(
        database.tenant('org_a', (tx) => tx.$executeRawUnsafe(statement)),
        '42501',
      );
    },
  );
});

describe('collected events', () => {
  it('are appended with the change, byte for byte', async () => {
    const body = '{"b":1,  "a":"\\u00e9é\\"\\\\ 漢字 😀 \\n", "n":null}';
    await database.tenant('org_a', async (tx) => {
      await tx.organization.update({ where: { id: 'org_a' }, data: { version: { increment: 1 } } });
      collectEvent(tx, anEvent('org_a', 'test.kept', body));
      collectEvent(tx, { ...anEvent('org_a', 'test.kept', '{}'), actorId: 'usr_1' });
    });
    expect(await eventsOf('org_a', 'test.kept')).toMatchObject([
      { body, actorId: null, keyId: null },
      { body: '{}', actorId: 'usr_1' },
    ]);
  });

  it('leave nothing behind when the work fails', async () => {
    const failing = database.tenant('org_a', (tx) => {
      collectEvent(tx, anEvent('org_a', 'test.lost'));
      raiseEpoch(tx);
      return Promise.reject(new Error('changed my mind'));
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await eventsOf('org_a', 'test.lost')).toEqual([]);
  });

  it('raise the epoch of their chain when asked to', async () => {
    const epoch = async (): Promise<bigint | undefined> =>
      (await database.system((tx) => tx.auditHead.findUnique({ where: { chain: 'org_a' } })))
        ?.authEpoch;
    const before = await epoch();
    await database.tenant('org_a', (tx) =>
      Promise.resolve(collectEvent(tx, anEvent('org_a', 'x'))),
    );
    expect(await epoch()).toBe(before);
    await database.tenant('org_a', (tx) => {
      collectEvent(tx, anEvent('org_a', 'x'));
      raiseEpoch(tx);
      return Promise.resolve();
    });
    expect(await epoch()).toBe((before ?? 0n) + 1n);
  });

  it('belong to one chain, to the tenant, and to a transaction', async () => {
    const two = database.system((tx) => {
      collectEvent(tx, anEvent('org_a', 'test.two'));
      collectEvent(tx, anEvent('org_b', 'test.two'));
      return Promise.resolve();
    });
    await expect(two).rejects.toThrow('one chain');
    const foreign = database.tenant('org_a', (tx) =>
      Promise.resolve(collectEvent(tx, anEvent('org_b', 'test.two'))),
    );
    await failsWith(foreign, '42501');
    const unknown = database.system((tx) =>
      Promise.resolve(collectEvent(tx, anEvent('org_none', 'test.two'))),
    );
    await expect(unknown).rejects.toThrow('org_none');
    const groundless = database.tenant('org_a', (tx) => Promise.resolve(raiseEpoch(tx)));
    await expect(groundless).rejects.toThrow('raiseEpoch');
    let kept: Tx | undefined;
    await database.system((tx) => Promise.resolve(void (kept = tx)));
    expect(() => collectEvent(kept as Tx, anEvent('org_a', 'late'))).toThrow('inside');
    expect(await eventsOf('org_a', 'test.two')).toEqual([]);
  });
});

describe('a transaction', () => {
  it('is run again after a conflict, with the events of its last run only', async () => {
    let runs = 0;
    const result = await database.tenant('org_a', async (tx) => {
      runs++;
      collectEvent(tx, anEvent('org_a', 'test.again', `{"run":${runs}}`));
      if (runs < 3) await conflict(tx);
      return runs;
    });
    expect(result).toBe(3);
    expect(await eventsOf('org_a', 'test.again')).toMatchObject([{ body: '{"run":3}' }]);
  });

  it('gives up after the third conflict', async () => {
    let runs = 0;
    const work = database.tenant('org_a', async (tx) => {
      runs++;
      await conflict(tx);
    });
    await expect(work).rejects.toThrow(DatabaseUnavailableError);
    expect(runs).toBe(3);
  });

  it('is not reported as done when a failure in it was swallowed', async () => {
    const work = database.system(async (tx) => {
      await tx.$executeRaw`INSERT INTO instance (id, token_prefix, pepper_check, pepper_version) VALUES (1, 'x', '', 1)`;
      await tx.$executeRaw`SELECT 1/0`.catch(() => undefined);
    });
    await failsWith(work, '25P02');
    expect(await database.system((tx) => tx.instance.count())).toBe(0);
  });

  it('runs nothing once it has ended: the connection is somebody else’s', async () => {
    let kept: Tx | undefined;
    await database.system((tx) => Promise.resolve(void (kept = tx)));
    await expect((kept as Tx).$executeRaw`DELETE FROM setup_tokens`).rejects.toThrow('has ended');
  });

  it('reads and writes times in UTC whatever the time zone of the server', async () => {
    const at = new Date('2026-03-29T01:30:00.123Z');
    const row = await database.system((tx) =>
      tx.setupToken.create({
        data: { id: 'stp_1', tokenHash: new Uint8Array(1), pepperVersion: 1, expiresAt: at },
      }),
    );
    const read = { name: 'at', text: 'SELECT expires_at AS at FROM setup_tokens WHERE id = $1' };
    expect(row.expiresAt).toEqual(at);
    expect(await database.raw(read, ['stp_1'])).toEqual([{ at }]);
  });

  it('tells which constraint was violated', async () => {
    const error: unknown = await database
      .tenant('org_a', (tx) =>
        tx.serviceAccount.create({
          data: {
            organizationId: 'org_a',
            id: 'sa_other',
            name: 'ci',
            roleKey: 'viewer',
            createdByType: 'system',
            createdByName: 'test',
          },
        }),
      )
      .catch((reason: unknown) => reason);
    expect(isUniqueViolation(error, 'service_accounts_name_key')).toBe(true);
    expect(isUniqueViolation(error, 'service_accounts_pkey')).toBe(false);
  });
});

describe('raw statements', () => {
  it('take and give the same types on both databases', async () => {
    const statement = {
      name: 'types',
      text: `SELECT $1::text[] AS texts, $2::bigint[] AS numbers, $3::bytea AS bytes, $4::timestamptz AS at,
        $5::text AS text, $6::bigint AS big, $7::boolean AS yes, 7::int AS int, 1::smallint AS small, 0.5::float8 AS float,
        1.10::numeric AS numeric, '{"a":[1]}'::jsonb AS json, ARRAY[1,2]::smallint[] AS codes, NULL::text AS nothing`,
    };
    const texts = ['a', null, 'NULL', '', '{"x\\y",}', "o'"];
    const at = new Date(1_700_000_000_123);
    const values = [texts, [1n, null, -5], Buffer.from([0, 255]), at, null, 2n ** 62n, true];
    const [row] = await database.raw(statement, values);
    expect(row).toEqual({
      texts,
      numbers: [1n, null, -5n],
      bytes: Buffer.from([0, 255]),
      at,
      text: null,
      big: 2n ** 62n,
      yes: true,
      int: 7,
      small: 1,
      float: 0.5,
      numeric: '1.10',
      json: { a: [1] },
      codes: [1, 2],
      nothing: null,
    });
  });

  it('run on a connection of their own', async () => {
    const connection = await database.openConnection();
    const statement = { name: 'one', text: 'SELECT 1 AS one' };
    expect(await connection.query(statement, [])).toEqual([{ one: 1 }]);
    expect(await connection.query(statement, [])).toEqual([{ one: 1 }]);
    await failsWith(connection.query({ name: 'zero', text: 'SELECT 1/0' }, []), '22012');
    await connection.close();
  });

  it('chain the hashes as the contract says', async () => {
    const rows = await database.system((tx) =>
      tx.auditEvent.findMany({ where: { chain: 'org_b' }, orderBy: { sequence: 'asc' } }),
    );
    let previous = Buffer.alloc(32);
    for (const row of rows) {
      const numbers = Buffer.alloc(16);
      numbers.writeBigInt64BE(row.sequence, 0);
      numbers.writeBigInt64BE(BigInt(row.occurredAt.getTime()), 8);
      const parts = [previous, numbers, Buffer.from(`${row.chain}\0${row.body}`)];
      previous = createHash('sha256').update(Buffer.concat(parts)).digest();
      expect(Buffer.from(row.hash)).toEqual(previous);
    }
    expect(rows).not.toHaveLength(0);
  });
});
