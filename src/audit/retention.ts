import { SYSTEM_ACTOR } from '../auth/actor.js';
import type { RawStatement, Tx } from '../database/database.service.js';
import type { CheckpointSigner } from './checkpoint.js';
import { SYSTEM_CHAIN } from './event.js';
import { changeTables, type Maintenance, runLong } from './maintenance.js';
import { isPast, monthOf } from './months.js';
import {
  attachedIn,
  createPartition,
  DEFAULT_PARTITION,
  monthOfPartition,
  readPartitions,
} from './partitions.js';
import { record } from './record.js';
import {
  insertTombstones,
  lastTombstones,
  type SignedTombstone,
  signTombstone,
} from './tombstone.js';

/** Where retired partitions wait for their end; nothing reads them there. */
const ARCHIVE = 'audit_retired';
/** For so long they can be archived. */
const ARCHIVE_MONTHS = 1;

/** What retention needs besides the database. */
export interface Retention extends Maintenance {
  signer: CheckpointSigner;
  /** The `uid` of the database. */
  instance: string;
  /** Whole months that are kept. */
  months: number;
}

/** What became of the months that are due. */
export interface Retired {
  partitions: string[];
  tombstones: SignedTombstone[];
  /** Why they were kept although they are due. */
  kept?: string;
}

/** A chain's events in the partitions that are due. */
interface Stretch {
  chain: string;
  events: bigint;
  /** Different sequences among them. */
  places: bigint;
  first: bigint;
  last: bigint;
  firstAt: Date;
  lastAt: Date;
  /** Hex, of the last one. */
  hash: string;
}

/** Without reading all of it: of each chain the last event. */
const NEWEST_IN_DEFAULT: RawStatement = {
  name: 'newest_in_audit_default',
  text: `WITH RECURSIVE chains AS (
      (SELECT chain FROM ${DEFAULT_PARTITION} ORDER BY chain LIMIT 1)
      UNION ALL
      SELECT (SELECT d.chain FROM ${DEFAULT_PARTITION} d WHERE d.chain > c.chain ORDER BY d.chain LIMIT 1)
      FROM chains c WHERE c.chain IS NOT NULL
    )
    SELECT max((SELECT d.occurred_at FROM ${DEFAULT_PARTITION} d WHERE d.chain = c.chain ORDER BY d.sequence DESC LIMIT 1)) AS newest
    FROM chains c WHERE c.chain IS NOT NULL`,
};

/**
 * Takes the partitions off the trail whose months ended `months` months ago and more (the default partition, too, when the month of
 * its newest event did), and puts them aside for a month. For each chain in them a tombstone says, signed, up to where it is gone.
 * All of it happens or nothing; `audit.retired` on the chain `system` tells. What is no whole beginning of each of its chains,
 * because events are missing or later ones would go before earlier ones, is kept. Errors: the database's.
 */
export async function retire(retention: Retention, now: Date): Promise<Retired> {
  const attached = await readPartitions(retention);
  const due = await dueOf(retention, attached, now);
  const nothing: Retired = { partitions: [], tombstones: [] };
  if (due.length === 0) return nothing;
  const stretches = await runLong<Stretch>(retention, summaryOf(due));
  const { signer, instance, database } = retention;
  const chains = stretches.map(({ chain }) => chain);
  const before = await database.system((tx) =>
    lastTombstones(tx, chains, { instance, key: signer.publicKey }),
  );
  for (const stretch of stretches) {
    const kept = faultOf(stretch, before.get(stretch.chain)?.tombstone.sequence ?? 0);
    if (kept !== undefined) return { ...nothing, kept: `${due.join(', ')}: ${kept}` };
  }
  if (!stretches.every(({ lastAt }) => isDue(lastAt, retention, now))) return nothing;
  const at = now.toISOString();
  const tombstones = stretches.map((stretch) =>
    signTombstone(signer, { instance, at, ...describe(stretch) }),
  );
  const isDone = await changeTables(retention, (tx) => takeOff(tx, due, tombstones, now));
  return isDone ? { partitions: due, tombstones } : nothing;
}

/** Drops what was put aside a month ago and more; answers the names. Errors: the database's. */
export async function dropArchived(maintenance: Maintenance, now: Date): Promise<string[]> {
  const tables = await maintenance.database.raw<{ name: string }>(
    {
      name: 'archived_partitions',
      text: `SELECT tablename::text AS name FROM pg_tables WHERE schemaname = '${ARCHIVE}'`,
    },
    [],
  );
  const due = tables
    .map(({ name }) => name)
    .filter((name) => {
      const day = /^audit_events_\w+_at_(\d{4}_\d\d_\d\d)$/.exec(name)?.[1];
      const time = new Date(`${day?.replaceAll('_', '-')}T00:00:00Z`);
      return !Number.isNaN(time.getTime()) && isPast(time, ARCHIVE_MONTHS, now);
    });
  if (due.length === 0) return [];
  await changeTables(maintenance, async (tx) => {
    for (const name of due) await tx.$executeRawUnsafe(`DROP TABLE IF EXISTS ${ARCHIVE}.${name}`);
  });
  return due;
}

async function dueOf(
  retention: Retention,
  attached: readonly string[],
  now: Date,
): Promise<string[]> {
  const due = attached.filter((name) => {
    const month = monthOfPartition(name);
    return month !== undefined && isDue(month.from, retention, now);
  });
  const [row] = await retention.database.raw<{ newest: Date | null }>(NEWEST_IN_DEFAULT, []);
  const newest = row?.newest ?? null;
  return newest !== null && isDue(newest, retention, now) ? [DEFAULT_PARTITION, ...due] : due;
}

function isDue(time: Date, { months }: Retention, now: Date): boolean {
  return isPast(monthOf(time).to, months, now);
}

function summaryOf(due: readonly string[]): RawStatement {
  const events = due.map((name) => `SELECT chain, sequence, occurred_at FROM ${name}`);
  return {
    name: 'retired_stretches',
    text: `SELECT s.*, encode((SELECT e.hash FROM audit_events e WHERE e.chain = s.chain AND e.sequence = s.last LIMIT 1), 'hex') AS hash
      FROM (
        SELECT chain, count(*) AS events, count(DISTINCT sequence) AS places, min(sequence) AS first, max(sequence) AS last,
          min(occurred_at) AS "firstAt", max(occurred_at) AS "lastAt"
        FROM (${events.join(' UNION ALL ')}) e GROUP BY chain
      ) s`,
  };
}

/**
 * Why a chain's events may not go: a tombstone says that all of them were there, back to the tombstone before. What is not there may
 * also be in a younger partition, because a clock was set back; it would be left behind.
 */
function faultOf(
  { chain, events, places, first, last }: Stretch,
  retiredThrough: number,
): string | undefined {
  const begin = BigInt(retiredThrough) + 1n;
  const span = last - begin + 1n;
  if (first === begin && events === span && places === span) return undefined;
  return `of the events ${begin} to ${last} of ${chain} some are missing, doubled, or among younger ones`;
}

function describe({ chain, last, hash, events, firstAt, lastAt }: Stretch) {
  return {
    chain,
    sequence: Number(last),
    hash,
    events: Number(events),
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
  };
}

/** False when somebody else has done it. */
async function takeOff(
  tx: Tx,
  due: readonly string[],
  tombstones: readonly SignedTombstone[],
  now: Date,
): Promise<boolean> {
  const attached = await attachedIn(tx);
  if (!due.every((name) => attached.includes(name))) return false;
  const [schema] = await tx.$queryRawUnsafe<{ exists: boolean }[]>(
    `SELECT to_regnamespace('${ARCHIVE}') IS NOT NULL AS exists`,
  );
  if (!schema?.exists) await tx.$executeRawUnsafe(`CREATE SCHEMA ${ARCHIVE}`);
  await insertTombstones(tx, tombstones);
  // Writers lock the head first and then the table: so does this.
  await tx.$queryRaw`SELECT sequence FROM audit_heads WHERE chain = ${SYSTEM_CHAIN} FOR UPDATE`;
  for (const name of due) await archive(tx, name, now);
  if (due.includes(DEFAULT_PARTITION)) await createPartition(tx, DEFAULT_PARTITION, 'DEFAULT');
  if (tombstones.length > 0) {
    const events = tombstones.reduce((sum, { tombstone }) => sum + tombstone.events, 0);
    const details = { partitions: due, chains: tombstones.length, events };
    record(tx, SYSTEM_ACTOR, 'audit.retired', { organizationId: null, targets: [], details });
  }
  return true;
}

async function archive(tx: Tx, name: string, now: Date): Promise<void> {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '_');
  const archived = `${name}_at_${day}`;
  await tx.$executeRawUnsafe(`ALTER TABLE audit_events DETACH PARTITION ${name}`);
  // Else a dump of the archive could not be restored by itself.
  await tx.$executeRawUnsafe(`DROP TRIGGER ${name}_refuse_truncate ON ${name}`);
  await tx.$executeRawUnsafe(`ALTER TABLE ${name} RENAME TO ${archived}`);
  await tx.$executeRawUnsafe(`ALTER TABLE ${archived} SET SCHEMA ${ARCHIVE}`);
}
