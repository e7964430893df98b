import { createHash } from 'node:crypto';
import type { Seals } from '../crypto/seal.js';
import { type AuditBody, SYSTEM_CHAIN } from './event.js';

/** The hash before the first event of a chain. */
export const GENESIS_HASH = Buffer.alloc(32);

/** An event as the database holds it. */
export interface StoredEvent {
  chain: string;
  sequence: bigint;
  occurredAt: Date;
  body: string;
  previousHash: Uint8Array;
  hash: Uint8Array;
  seal: string;
  action: string;
  outcome: string;
  actorId: string | null;
  keyId: string | null;
  targetId: string | null;
  requestId: string | null;
}

/** Where a chain stands: the last good event. */
export interface ChainPosition {
  sequence: bigint;
  hash: Uint8Array;
}

/**
 * The hash of an event: SHA-256 over previous hash, sequence and Unix milliseconds (each 8 bytes,
 * big-endian), chain, a zero byte and the body. The SQL function `audit_append` computes the same.
 */
export function eventHash(
  event: Omit<StoredEvent, 'hash' | 'seal'>,
  previousHash: Uint8Array,
): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(event.sequence, 0);
  numbers.writeBigInt64BE(BigInt(event.occurredAt.getTime()), 8);
  return createHash('sha256')
    .update(previousHash)
    .update(numbers)
    .update(event.chain)
    .update('\0')
    .update(event.body)
    .digest();
}

/**
 * Checks that `events` continue the chain after `position`: no gap, no extra event, every hash, seal and
 * filter column as the body says. Answers the last good position and the first bad sequence.
 */
export function checkChain(
  position: ChainPosition,
  events: readonly StoredEvent[],
  seals: Seals,
): { position: ChainPosition; firstBadSequence?: bigint } {
  let last = position;
  for (const event of events) {
    const expected = last.sequence + 1n;
    if (event.sequence !== expected) {
      const firstBadSequence = event.sequence < expected ? event.sequence : expected;
      return { position: last, firstBadSequence };
    }
    if (!isIntact(event, last.hash, seals)) return { position: last, firstBadSequence: expected };
    last = { sequence: event.sequence, hash: event.hash };
  }
  return { position: last };
}

/** A place that the chain had reached, with the seal of that time. */
export interface SealedPlace {
  sequence: bigint;
  seal: string;
}

/**
 * How long events may have stood without a seal, in milliseconds: a living server seals within seconds,
 * so more means that seals were removed.
 */
const MAX_UNSEALED_MS = 60_000;

/**
 * Checks sealed places (in order, all after `start`) against good `events` that follow `start`. Answers the first
 * sequence that no fitting seal vouches for: a chain that was shortened or reordered and hashed anew, with its seals left
 * (they do not fit) or removed (a minute's events and more stand without one). `endsAt`: Unix milliseconds by the
 * database's clock when `events` are the last ones, else undefined.
 */
export function checkSeals(
  start: ChainPosition,
  events: readonly StoredEvent[],
  places: readonly SealedPlace[],
  seals: Seals,
  endsAt?: number,
): bigint | undefined {
  const bySequence = new Map(places.map(({ sequence, seal }) => [sequence, seal]));
  let vouched = start.sequence;
  let unsealedSince: number | undefined;
  for (const event of events) {
    const time = event.occurredAt.getTime();
    unsealedSince ??= time;
    if (time - unsealedSince > MAX_UNSEALED_MS) return vouched + 1n;
    const seal = bySequence.get(event.sequence);
    if (seal === undefined) continue;
    if (seals.head(event.chain, event.sequence, event.hash) !== seal) return vouched + 1n;
    vouched = event.sequence;
    unsealedSince = undefined;
  }
  const isOverdue =
    endsAt !== undefined && unsealedSince !== undefined && endsAt - unsealedSince > MAX_UNSEALED_MS;
  return isOverdue ? vouched + 1n : undefined;
}

function isIntact(event: StoredEvent, previousHash: Uint8Array, seals: Seals): boolean {
  return (
    Buffer.compare(event.previousHash, previousHash) === 0 &&
    eventHash(event, previousHash).equals(event.hash) &&
    seals.event(event.chain, event.body) === event.seal &&
    columnsMatch(event)
  );
}

function columnsMatch(event: StoredEvent): boolean {
  const body = parseBody(event.body);
  return (
    body !== undefined &&
    event.action === body.action &&
    event.outcome === body.outcome &&
    event.actorId === body.actor.id &&
    event.keyId === (body.key?.id ?? null) &&
    event.targetId === (body.targets[0]?.id ?? null) &&
    event.requestId === body.requestId &&
    event.chain === (body.organizationId ?? SYSTEM_CHAIN)
  );
}

/** Undefined for what never was an event: somebody wrote and hashed it by hand. */
function parseBody(text: string): AuditBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<AuditBody> | null;
    return body?.actor && Array.isArray(body.targets) ? (body as AuditBody) : undefined;
  } catch {
    return undefined;
  }
}
