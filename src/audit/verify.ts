import { Injectable } from '@nestjs/common';
import { InstanceSecret } from '../crypto/instance-secret.js';
import { Seals } from '../crypto/seal.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { invalid, type Problem } from '../http/problem.js';
import type { Verification, VerifyQuery } from './audit.dto.js';
import {
  checkChain,
  type ChainPosition,
  checkSeals,
  GENESIS_HASH,
  type SealedPlace,
  type StoredEvent,
} from './chain.js';
import { signerOf } from './checkpoint.js';
import { SYSTEM_CHAIN } from './event.js';
import { lastTombstones, type SignedTombstone, type TombstoneTrust } from './tombstone.js';

/** SQL on the embedded database runs on the main thread: one statement reads this many events. */
const PAGE = 1_000;

interface Stretch {
  head: ChainPosition;
  events: StoredEvent[];
  places: SealedPlace[];
  /** The database's clock, Unix milliseconds. */
  now: number;
}

/** Recomputes a chain of the trail and says where it was tampered with. */
@Injectable()
export class ChainVerifier {
  private readonly trust: TombstoneTrust;

  constructor(
    private readonly database: DatabaseService,
    private readonly seals: Seals,
    instance: Instance,
    secret: InstanceSecret,
  ) {
    this.trust = { instance: instance.uid, key: signerOf(secret).publicKey };
  }

  /**
   * Verifies up to `limit` events from `fromSequence` on, trusting the hash of the event before (verify that first), or from the
   * one after the chain's last tombstone, if that is later. Found are changed, removed, inserted and swapped events, changed filter
   * columns, events cut off at the end or, without a tombstone of this server, at the beginning, and a chain that was hashed anew
   * after any of these.
   */
  async verify(organizationId: string | null, query: VerifyQuery): Promise<Verification> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    for (let tombstone = await this.tombstone(organizationId, chain); ;) {
      const found = await this.verifyAfter(organizationId, query, tombstone);
      if (found.valid) return found;
      // Not tampered with if retention has just taken off what was missing.
      const latest = await this.tombstone(organizationId, chain);
      if (latest?.signature === tombstone?.signature) return found;
      tombstone = latest;
    }
  }

  private async verifyAfter(
    organizationId: string | null,
    query: VerifyQuery,
    signed: SignedTombstone | undefined,
  ): Promise<Verification> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const retired = signed && {
      retiredThrough: signed.tombstone.sequence,
      tombstone: signed,
    };
    const from = Math.max(query.fromSequence, (retired?.retiredThrough ?? 0) + 1);
    const end = BigInt(from) + BigInt(query.limit);
    let position = await this.start(organizationId, BigInt(from), signed);
    for (let events = 0; ;) {
      const left = Number(end - position.sequence) - 1;
      const stretch = await this.read(organizationId, (tx) =>
        readStretch(tx, chain, position.sequence, Math.min(PAGE, left)),
      );
      const head = toHead(stretch.head);
      const checked = checkStretch(position, stretch, left, this.seals);
      events += Number(checked.position.sequence - position.sequence);
      position = checked.position;
      if (checked.firstBadSequence !== undefined) {
        const firstBadSequence = Number(checked.firstBadSequence);
        return { valid: false, events, ...retired, firstBadSequence, head };
      }
      const next = position.sequence + 1n;
      if (position.sequence >= stretch.head.sequence) {
        return { valid: true, events, ...retired, head };
      }
      if (next >= end) return { valid: true, events, ...retired, next: Number(next), head };
    }
  }

  private async tombstone(
    organizationId: string | null,
    chain: string,
  ): Promise<SignedTombstone | undefined> {
    const last = await this.read(organizationId, (tx) => lastTombstones(tx, [chain], this.trust));
    return last.get(chain);
  }

  private async start(
    organizationId: string | null,
    fromSequence: bigint,
    signed: SignedTombstone | undefined,
  ): Promise<ChainPosition> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const sequence = fromSequence - 1n;
    if (sequence === 0n) return { sequence, hash: GENESIS_HASH };
    if (signed !== undefined && sequence === BigInt(signed.tombstone.sequence)) {
      return { sequence, hash: Buffer.from(signed.tombstone.hash, 'hex') };
    }
    return this.read(organizationId, async (tx) => {
      const head = await tx.auditHead.findUniqueOrThrow({ where: { chain } });
      if (sequence > head.sequence) throw beyondEnd(head.sequence);
      const before = await tx.auditEvent.findFirst({ where: { chain, sequence } });
      return { sequence, hash: before?.hash ?? GENESIS_HASH };
    });
  }

  private read<T>(organizationId: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    return organizationId === null
      ? this.database.system(work)
      : this.database.tenant(organizationId, work);
  }
}

/**
 * Head and events in one statement, so that both are of the same moment; the seals before it, so that
 * none is of a place that the head has not reached.
 */
async function readStretch(tx: Tx, chain: string, after: bigint, limit: number): Promise<Stretch> {
  const places = await tx.auditSeal.findMany({
    where: { chain, sequence: { gt: after } },
    orderBy: { sequence: 'asc' },
    take: limit + 1,
  });
  const rows = await tx.$queryRaw<
    (StoredEvent & {
      headSequence: bigint;
      headHash: Uint8Array;
      now: Date;
      sequence: bigint | null;
    })[]
  >`
    SELECT clock_timestamp() AS "now", h.sequence AS "headSequence", h.hash AS "headHash", e.chain, e.sequence, e.occurred_at AS "occurredAt", e.body,
      e.previous_hash AS "previousHash", e.hash, e.seal, e.action, e.outcome, e.actor_id AS "actorId", e.key_id AS "keyId",
      e.target_id AS "targetId", e.request_id AS "requestId"
    FROM audit_heads h
    LEFT JOIN LATERAL (
      SELECT * FROM audit_events WHERE chain = h.chain AND sequence > ${after} ORDER BY sequence, occurred_at LIMIT ${limit}
    ) e ON true
    WHERE h.chain = ${chain}
    ORDER BY e.sequence, e.occurred_at`;
  const [first] = rows;
  if (first === undefined) throw new Error(`there is no chain ${chain}`);
  return {
    head: { sequence: first.headSequence, hash: first.headHash },
    events: rows.filter((row) => row.sequence !== null),
    places,
    now: first.now.getTime(),
  };
}

function checkStretch(
  position: ChainPosition,
  { head, events, places, now }: Stretch,
  limit: number,
  seals: Seals,
): ReturnType<typeof checkChain> {
  const checked = checkChain(position, events, seals);
  if (checked.firstBadSequence !== undefined) return checked;
  const isLastPage = events.length < Math.min(PAGE, limit);
  const isEnd = isLastPage || checked.position.sequence >= head.sequence;
  const firstBadSequence =
    checkSeals(position, events, places, seals, isEnd ? now : undefined) ??
    checkEnd(checked.position, head, isLastPage, places.at(-1));
  return firstBadSequence === undefined
    ? checked
    : { position: checked.position, firstBadSequence };
}

/** The head says how long the chain is, the last seal how long it was: anything else is tampering. */
function checkEnd(
  last: ChainPosition,
  head: ChainPosition,
  isLastPage: boolean,
  lastPlace: SealedPlace | undefined,
): bigint | undefined {
  if (last.sequence > head.sequence) return head.sequence + 1n;
  if (last.sequence < head.sequence) return isLastPage ? last.sequence + 1n : undefined;
  if (Buffer.compare(last.hash, head.hash) !== 0) return head.sequence;
  return lastPlace !== undefined && lastPlace.sequence > head.sequence
    ? head.sequence + 1n
    : undefined;
}

function beyondEnd(last: bigint): Problem {
  const detail = `Must be at most ${last + 1n}: the chain ends at ${last}.`;
  return invalid({ pointer: '/fromSequence', code: 'too_large', detail });
}

function toHead(head: ChainPosition): Verification['head'] {
  return { sequence: Number(head.sequence), hash: Buffer.from(head.hash).toString('hex') };
}
