import type { RawStatement, Tx } from '../database/database.service.js';
import { sqlState } from '../database/errors.js';
import { changeTables, type Maintenance, runLong } from './maintenance.js';
import { type Month, monthNamed, monthOf } from './months.js';

/** The partition that takes what no month takes. */
export const DEFAULT_PARTITION = 'audit_events_default';
const MONTH_PREFIX = 'audit_events_';

/** This month and two ahead: a server that cannot make them has a month and more to be noticed. */
const MONTHS_AHEAD = 2;
/** A month that is nearer begins in the default partition: what keeps rows of it out must not outlast the time before it. */
const MIN_LEAD_MS = 24 * 60 * 60 * 1_000;

const CHECK_VIOLATION = '23514';
const UNDEFINED_OBJECT = '42704';

const PARTITIONS: RawStatement = {
  name: 'audit_partitions',
  text: `SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass ORDER BY name`,
};
const IS_DEFAULT_EMPTY: RawStatement = {
  name: 'audit_default_is_empty',
  text: `SELECT NOT EXISTS (SELECT FROM ${DEFAULT_PARTITION}) AS "isEmpty"`,
};
const CHECKS: RawStatement = {
  name: 'audit_default_checks',
  text: `SELECT conname::text AS name FROM pg_constraint
    WHERE conrelid = '${DEFAULT_PARTITION}'::regclass AND conname LIKE '${DEFAULT_PARTITION}\\_without\\_%'`,
};

/** The name of a month's partition. */
export function partitionOf(month: Month): string {
  return `${MONTH_PREFIX}${month.name}`;
}

/** The month of a partition; undefined for the default. */
export function monthOfPartition(name: string): Month | undefined {
  return monthNamed(name.slice(MONTH_PREFIX.length));
}

/** The partitions of the trail that are attached. */
export async function readPartitions({
  database,
}: Pick<Maintenance, 'database'>): Promise<string[]> {
  return (await database.raw<{ name: string }>(PARTITIONS, [])).map(({ name }) => name);
}

/**
 * Sees to it that this month and the next two have partitions; writers of the trail wait a moment at most. A month that has begun,
 * or is about to, has none while other events lie in the default partition: it stays there, and the next one begins with its own.
 * Answers the partitions made. Errors: the database's; what was made stays, and it may be tried again.
 */
export async function ensurePartitions(maintenance: Maintenance, now: Date): Promise<string[]> {
  await dropDangerousChecks(maintenance, now);
  const attached = await readPartitions(maintenance);
  const made: string[] = [];
  for (let later = 0; later <= MONTHS_AHEAD; later += 1) {
    const month = monthOf(now, later);
    if (attached.includes(partitionOf(month))) continue;
    if (await addMonth(maintenance, month, now)) made.push(partitionOf(month));
  }
  return made;
}

async function addMonth(maintenance: Maintenance, month: Month, now: Date): Promise<boolean> {
  const [row] = await maintenance.database.raw<{ isEmpty: boolean }>(IS_DEFAULT_EMPTY, []);
  try {
    // There is nothing to look through.
    if (row?.isEmpty) return await changeTables(maintenance, (tx) => attach(tx, month));
    if (month.from.getTime() - now.getTime() < MIN_LEAD_MS) return false;
    return await addBesideRows(maintenance, month);
  } catch (error) {
    // The default partition holds events of that month: there they stay.
    if (sqlState(error) === CHECK_VIOLATION) return false;
    throw error;
  }
}

/**
 * Attaching looks through the default partition for rows of the month, while nobody can write to it; unless a constraint says that
 * there are none. That one is checked before, while everybody goes on.
 */
async function addBesideRows(maintenance: Maintenance, month: Month): Promise<boolean> {
  const check = checkOf(month);
  try {
    await changeTables(maintenance, async (tx) => {
      if (await hasCheck(tx, check)) return;
      const { from, to } = boundsOf(month);
      await tx.$executeRawUnsafe(
        `ALTER TABLE ${DEFAULT_PARTITION} ADD CONSTRAINT ${check} CHECK (occurred_at < ${from} OR occurred_at >= ${to}) NOT VALID`,
      );
    });
    await runLong(maintenance, {
      name: `validate_${check}`,
      text: `ALTER TABLE ${DEFAULT_PARTITION} VALIDATE CONSTRAINT ${check}`,
    });
    return await changeTables(maintenance, async (tx) => {
      if (await isAttached(tx, month)) {
        // Another instance was faster.
        await tx.$executeRawUnsafe(
          `ALTER TABLE ${DEFAULT_PARTITION} DROP CONSTRAINT IF EXISTS ${check}`,
        );
        return false;
      }
      if (!(await hasCheck(tx, check, true))) throw new Error(`somebody has dropped ${check}`);
      await attach(tx, month);
      await tx.$executeRawUnsafe(`ALTER TABLE ${DEFAULT_PARTITION} DROP CONSTRAINT ${check}`);
      return true;
    });
  } catch (error) {
    if (sqlState(error) === UNDEFINED_OBJECT) return false; // another instance was faster
    await dropChecks(maintenance, [check]).catch(() => undefined);
    throw error;
  }
}

async function attach(tx: Tx, month: Month): Promise<boolean> {
  if (await isAttached(tx, month)) return false;
  const { from, to } = boundsOf(month);
  await createPartition(tx, partitionOf(month), `FOR VALUES FROM (${from}) TO (${to})`);
  return true;
}

async function isAttached(tx: Tx, month: Month): Promise<boolean> {
  return (await attachedIn(tx)).includes(partitionOf(month));
}

/** The partitions that are attached, for this transaction. */
export async function attachedIn(tx: Tx): Promise<string[]> {
  const rows = await tx.$queryRawUnsafe<{ name: string }[]>(PARTITIONS.text);
  return rows.map(({ name }) => name);
}

/**
 * Makes a partition, with what it does not inherit, and attaches it. Nobody is granted anything: it is read through the trail
 * alone.
 */
export async function createPartition(tx: Tx, name: string, bounds: string): Promise<void> {
  await tx.$executeRawUnsafe(`CREATE TABLE ${name} (LIKE audit_events INCLUDING ALL)`);
  await tx.$executeRawUnsafe(
    `CREATE TRIGGER ${name}_refuse_truncate BEFORE TRUNCATE ON ${name} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()`,
  );
  await tx.$executeRawUnsafe(`ALTER TABLE audit_events ATTACH PARTITION ${name} ${bounds}`);
}

/** A process that ended in between has left a check behind: when its month has begun, it would refuse every event. */
async function dropDangerousChecks(maintenance: Maintenance, now: Date): Promise<void> {
  const checks = await maintenance.database.raw<{ name: string }>(CHECKS, []);
  const dangerous = checks
    .map(({ name }) => name)
    .filter((name) => {
      const month = monthNamed(name.slice(`${DEFAULT_PARTITION}_without_`.length));
      return month === undefined || month.from.getTime() - now.getTime() < MIN_LEAD_MS;
    });
  if (dangerous.length > 0) await dropChecks(maintenance, dangerous);
}

async function dropChecks(maintenance: Maintenance, checks: readonly string[]): Promise<void> {
  await changeTables(maintenance, async (tx) => {
    for (const check of checks) {
      await tx.$executeRawUnsafe(
        `ALTER TABLE ${DEFAULT_PARTITION} DROP CONSTRAINT IF EXISTS ${check}`,
      );
    }
  });
}

async function hasCheck(tx: Tx, name: string, validated = false): Promise<boolean> {
  const found = await tx.$queryRaw<{ convalidated: boolean }[]>`
    SELECT convalidated FROM pg_constraint WHERE conrelid = 'audit_events_default'::regclass AND conname = ${name}`;
  return found.some(({ convalidated }) => convalidated || !validated);
}

function checkOf(month: Month): string {
  return `${DEFAULT_PARTITION}_without_${month.name}`;
}

/** As SQL. */
function boundsOf({ from, to }: Month): { from: string; to: string } {
  return { from: `'${from.toISOString()}'`, to: `'${to.toISOString()}'` };
}
