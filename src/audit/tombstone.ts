import type { AuditTombstone } from '../generated/prisma/client.js';
import type { Tx } from '../database/database.service.js';
import { type CheckpointSigner, isSignedText, linesOf, parseSigned } from './checkpoint.js';

/** SQL on the embedded database runs on the main thread: so many chains at once. */
const MAX_CHAINS = 500;

/** What retention has taken off the beginning of a chain: where it goes on, and what was there. */
export interface Tombstone {
  /** Which database: see `Checkpoint`. */
  instance: string;
  /** An organization's id, or `system`. */
  chain: string;
  /** Of the last event that is gone; all before it are gone too. */
  sequence: number;
  /** Hex SHA-256 of that event: the event after it has it as its previous hash. */
  hash: string;
  /** How many events went with this tombstone; earlier ones had tombstones of their own. */
  events: number;
  /** When the first and the last of these had happened, RFC 3339. */
  firstAt: string;
  lastAt: string;
  /** When they were taken off, RFC 3339; by the database's clock. */
  at: string;
}

/** A tombstone as it is kept and handed out: see `SignedCheckpoint`. */
export interface SignedTombstone {
  tombstone: Tombstone;
  /** The public key, 32 bytes in base64url. */
  key: string;
  /** Ed25519 (RFC 8032), 64 bytes in base64url. */
  signature: string;
}

/** Whose tombstones count. */
export interface TombstoneTrust {
  instance: string;
  /** The server's own public key. */
  key: string;
}

/** Signs a tombstone with the key of the checkpoints. */
export function signTombstone(signer: CheckpointSigner, tombstone: Tombstone): SignedTombstone {
  return { tombstone, ...signer.signText(textOf(tombstone)) };
}

/** Whether the key that it names has signed it. Whose key that is, is for the caller to know. */
export function isSignedTombstone({ tombstone, key, signature }: SignedTombstone): boolean {
  return isSignedText(textOf(tombstone), key, signature);
}

/** The tombstone in a line of JSON, or undefined for a line of something else. */
export function parseTombstone(line: string): SignedTombstone | undefined {
  const signed = parseSigned<Tombstone>(line, 'tombstone', isTombstone);
  return signed && { tombstone: signed.member, key: signed.key, signature: signed.signature };
}

/** The latest tombstone of each of these chains that this server has signed; what anybody else has put there does not count. */
export async function lastTombstones(
  tx: Tx,
  chains: readonly string[],
  { instance, key }: TombstoneTrust,
): Promise<Map<string, SignedTombstone>> {
  const last = new Map<string, SignedTombstone>();
  for (let start = 0; start < chains.length; start += MAX_CHAINS) {
    const rows = await tx.auditTombstone.findMany({
      where: { chain: { in: chains.slice(start, start + MAX_CHAINS) }, key },
      orderBy: { sequence: 'desc' },
    });
    for (const row of rows) {
      if (last.has(row.chain)) continue;
      const signed = toSigned(instance, row);
      if (isSignedTombstone(signed)) last.set(row.chain, signed);
    }
  }
  return last;
}

/** Keeps tombstones in the database. */
export async function insertTombstones(tx: Tx, signed: readonly SignedTombstone[]): Promise<void> {
  const rows = signed.map(({ tombstone, key, signature }) => ({ ...tombstone, key, signature }));
  // In one statement: ten thousand chains by Prisma's own inserts would outlast the transaction.
  await tx.$executeRaw`
    INSERT INTO audit_tombstones (chain, sequence, hash, events, first_at, last_at, at, key, signature)
    SELECT t.chain, t.sequence, decode(t.hash, 'hex'), t.events, t."firstAt", t."lastAt", t.at, t.key, t.signature
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS t(chain text, sequence bigint, hash text, events bigint,
      "firstAt" timestamptz, "lastAt" timestamptz, at timestamptz, key text, signature text)`;
}

function toSigned(instance: string, row: AuditTombstone): SignedTombstone {
  const { chain, hash, key, signature } = row;
  const tombstone = {
    instance,
    chain,
    sequence: Number(row.sequence),
    hash: Buffer.from(hash).toString('hex'),
    events: Number(row.events),
    firstAt: row.firstAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    at: row.at.toISOString(),
  };
  return { tombstone, key, signature };
}

function isTombstone(value: Partial<Tombstone> | undefined): value is Tombstone {
  const texts = [
    value?.instance,
    value?.chain,
    value?.hash,
    value?.firstAt,
    value?.lastAt,
    value?.at,
  ];
  const numbers = [value?.sequence, value?.events];
  return texts.every((text) => typeof text === 'string') && numbers.every(Number.isSafeInteger);
}

/** What is signed: every member on a line of its own, so that no two tombstones have the same text. */
function textOf(tombstone: Tombstone): Buffer {
  const { instance, chain, sequence, hash, events, firstAt, lastAt, at } = tombstone;
  return linesOf([
    'claviger tombstone 1',
    instance,
    chain,
    sequence,
    hash,
    events,
    firstAt,
    lastAt,
    at,
  ]);
}
