import { SYSTEM_ACTOR } from '../auth/actor.js';
import type { Config } from '../config.js';
import type { InstanceSecret } from '../crypto/instance-secret.js';
import type { DatabaseService, RawStatement } from '../database/database.service.js';
import type { Instance } from '../database/instance.js';
import {
  type Checkpoint,
  checkpointOf,
  type Head,
  isSigned,
  type SignedCheckpoint,
  signerOf,
} from './checkpoint.js';
import { appendSigned, checkpointFile, readSigned } from './checkpoint-log.js';
import { insertCheckpoints } from './checkpoints.sql.js';
import { record } from './record.js';
import { lastTombstones, type Tombstone } from './tombstone.js';

/** SQL on the embedded database runs on the main thread: so many chains at once. */
const MAX_CHAINS = 500;

/** A chain that is not what a checkpoint outside the database says that it was. */
export interface SetBack {
  /** The last checkpoint of the chain outside the database. */
  last: Checkpoint;
  /** Where it stands in the database; undefined: there is no such chain. */
  head: Head | undefined;
}

/** The database is older than what this server has written; the message says what to do. */
export class SetBackError extends Error {
  override readonly name = 'SetBackError';

  constructor(chains: readonly SetBack[], file: string) {
    const lines = chains.slice(0, 5).map(describe);
    const more = chains.length > lines.length ? [`  and ${chains.length - lines.length} more`] : [];
    super(
      [
        `The database is not what this server left: ${file} knows more of the audit trail than the database has.`,
        ...lines,
        ...more,
        'An older backup was restored; or, with the embedded database, the machine lost power. Keys that were revoked since then are',
        'good again, and sessions, roles and accounts are as they were then. Restore a newer backup; or, if there is none, run `claviger accept-restore` with the same',
        'environment, which puts this on the trail, start again, and revoke what had been revoked.',
      ].join('\n'),
    );
  }
}

interface FoundRow {
  chain: string;
  sequence: bigint;
  hash: Uint8Array;
  /** Hex; null: the chain has no event there. */
  hashThere: string | null;
}

const FIND: RawStatement = {
  name: 'find_checkpoints',
  text: `SELECT h.chain, h.sequence, h.hash, encode(e.hash, 'hex') AS "hashThere"
    FROM unnest($1::text[], $2::bigint[]) AS c(chain, sequence)
    JOIN audit_heads h ON h.chain = c.chain
    LEFT JOIN audit_events e ON e.chain = c.chain AND e.sequence = c.sequence`,
};

/**
 * Nothing, if the database has all that `DATA_DIR/checkpoints.log` says this server had written. Errors: {@link SetBackError};
 * those of the file.
 */
export async function requireNotSetBack(
  database: DatabaseService,
  instance: Instance,
  secret: InstanceSecret,
  config: Config,
): Promise<void> {
  const file = checkpointFile(config);
  if (file === undefined) return;
  const chains = await findSetBack(database, instance, secret, file);
  if (chains.length > 0) throw new SetBackError(chains, file);
}

/**
 * Accepts a database that was set back: an event on the chain `system` says so, and what the file knew of the affected chains
 * counts no more. Answers the affected chains; none, and nothing is done, when the database is as it should be.
 */
export async function acceptSetBack(
  database: DatabaseService,
  instance: Instance,
  secret: InstanceSecret,
  config: Config,
): Promise<SetBack[]> {
  const file = checkpointFile(config);
  const chains = file === undefined ? [] : await findSetBack(database, instance, secret, file);
  if (file === undefined || chains.length === 0) return [];
  await database.system((tx) => {
    const details = { chains: chains.length, lastCheckpointAt: latest(chains) };
    record(tx, SYSTEM_ACTOR, 'instance.restore_accepted', {
      organizationId: null,
      targets: [],
      details,
    });
    return Promise.resolve();
  });
  const signer = signerOf(secret);
  const at = new Date().toISOString();
  const signed: SignedCheckpoint[] = [];
  for (const { head, last } of await readHeads(
    database,
    chains.map((one) => one.last),
  )) {
    const place = head ?? { chain: last.chain, sequence: 0n, hash: Buffer.alloc(32) };
    const checkpoint = checkpointOf(instance.uid, place, at);
    signed.push(signer.sign({ ...checkpoint, setBackFrom: last.sequence }));
  }
  await insertCheckpoints(database, signed);
  await appendSigned(file, signed);
  return chains;
}

async function findSetBack(
  database: DatabaseService,
  instance: Instance,
  secret: InstanceSecret,
  file: string,
): Promise<SetBack[]> {
  const key = signerOf(secret).publicKey;
  const found = await readHeads(database, await lastCheckpoints(file, instance, key));
  const missing = found.filter(({ isThere }) => !isThere);
  if (missing.length === 0) return [];
  const chains = missing.map(({ last }) => last.chain);
  const tombstones = await database.system((tx) =>
    lastTombstones(tx, chains, { instance: instance.uid, key }),
  );
  return missing.filter((one) => !isRetired(one, tombstones.get(one.last.chain)?.tombstone));
}

/** Retention has taken the event off: the chain was longer, not shorter. */
function isRetired({ last, head }: SetBack, tombstone: Tombstone | undefined): boolean {
  if (tombstone === undefined || head === undefined) return false;
  if (head.sequence < BigInt(tombstone.sequence)) return false;
  return tombstone.sequence === last.sequence
    ? tombstone.hash === last.hash
    : tombstone.sequence > last.sequence;
}

/**
 * The last checkpoint of each chain of this database: the furthest, because workers do not write in the order in which they
 * sign, since somebody has accepted that the chain was set back.
 */
async function lastCheckpoints(
  file: string,
  { uid }: Instance,
  publicKey: string,
): Promise<Checkpoint[]> {
  const last = new Map<string, SignedCheckpoint>();
  try {
    for await (const one of readSigned(file)) {
      if (!('checkpoint' in one)) continue;
      if (one.checkpoint.instance !== uid || one.key !== publicKey) continue;
      const { chain, sequence, setBackFrom } = one.checkpoint;
      const before = last.get(chain)?.checkpoint.sequence ?? -1;
      if (sequence >= before || setBackFrom !== undefined) last.set(chain, one);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return [...last.values()].filter(isSigned).map(({ checkpoint }) => checkpoint);
}

async function readHeads(
  database: DatabaseService,
  checkpoints: readonly Checkpoint[],
): Promise<(SetBack & { isThere: boolean })[]> {
  const found = new Map<string, FoundRow>();
  for (let start = 0; start < checkpoints.length; start += MAX_CHAINS) {
    const some = checkpoints.slice(start, start + MAX_CHAINS);
    const rows = await database.raw<FoundRow>(FIND, [
      some.map(({ chain }) => chain),
      some.map(({ sequence }) => sequence),
    ]);
    for (const row of rows) found.set(row.chain, row);
  }
  return checkpoints.map((last) => {
    const head = found.get(last.chain);
    const isThere = last.sequence === 0 || head?.hashThere === last.hash;
    return { last, head, isThere };
  });
}

function describe({ last, head }: SetBack): string {
  const now =
    head === undefined
      ? 'it does not exist'
      : head.sequence < BigInt(last.sequence)
        ? `it ends with event ${head.sequence}`
        : `its event ${last.sequence} is another one`;
  return `  ${last.chain}: event ${last.sequence} was on it at ${last.at}; now ${now}.`;
}

function latest(chains: readonly SetBack[]): string | null {
  return (
    chains
      .map(({ last }) => last.at)
      .sort()
      .at(-1) ?? null
  );
}
