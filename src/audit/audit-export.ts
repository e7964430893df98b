import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/actor.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { type AuditEvent, type AuditEventsQuery, toAuditEvent } from './audit.dto.js';
import { matching } from './audit.service.js';
import { SYSTEM_CHAIN } from './event.js';
import { type ChangeDetails, record } from './record.js';

/** How many sequence numbers one statement looks at, so that a rare filter cannot make it long. */
const WINDOW = 10_000n;

/** Where an export of a chain stands. */
export interface ChainPosition {
  /** The sequence number of the last event looked at. */
  sequence: bigint;
  /** Where it ends: the chain's end when it began, or before its first event when it runs towards the beginning. */
  end: bigint;
}

/** A part of a chain. */
export interface ChainPart {
  events: AuditEvent[];
  /** Absent at the end. A part without events is not the end. */
  next?: ChainPosition;
}

type Filters = Omit<AuditEventsQuery, 'limit' | 'after'>;

/** Reads a chain in parts, for exports, and notes what became of them. */
@Injectable()
export class AuditExport {
  constructor(private readonly database: DatabaseService) {}

  /**
   * Where an export begins: after the event with this number, or at the chain's end or beginning. Events written later
   * do not belong to it, so it ends.
   */
  async begin(
    organizationId: string | null,
    query: Filters,
    after: bigint | undefined,
  ): Promise<ChainPosition> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const { head, first } = await this.within(organizationId, async (tx) => ({
      head: await tx.auditHead.findUniqueOrThrow({ where: { chain }, select: { sequence: true } }),
      // Not 1 where retention has taken events off.
      first: await tx.auditEvent.findFirst({
        where: { chain },
        orderBy: { sequence: 'asc' },
        select: { sequence: true },
      }),
    }));
    const before = first === null ? head.sequence : first.sequence - 1n;
    return isAscending(query)
      ? { sequence: max(after ?? 0n, before), end: head.sequence }
      : { sequence: after ?? head.sequence + 1n, end: before };
  }

  /** At most `limit` events after the position, in the query's order, in a transaction of its own. */
  async read(
    organizationId: string | null,
    query: Filters,
    position: ChainPosition,
    limit: number,
  ): Promise<ChainPart> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const ascending = isAscending(query);
    const { sequence: from, end } = position;
    const to = ascending ? min(from + WINDOW, end) : max(from - WINDOW, end + 1n);
    const rows = await this.within(organizationId, async (tx) =>
      tx.auditEvent.findMany({
        where: {
          ...(await matching(tx, chain, query)),
          sequence: ascending ? { gt: from, lte: to } : { lt: from, gte: to },
        },
        orderBy: { sequence: ascending ? 'asc' : 'desc' },
        take: limit,
      }),
    );
    const sequence = rows.length === limit ? rows.at(-1)!.sequence : to;
    const isDone = ascending ? sequence >= end : sequence <= end + 1n;
    return { events: rows.map(toAuditEvent), ...(isDone ? {} : { next: { sequence, end } }) };
  }

  /** Puts one event about an export on the chain, in a transaction of its own. */
  async note(actor: Actor, action: string, details: ChangeDetails): Promise<void> {
    await this.within(details.organizationId, (tx) => {
      record(tx, actor, action, details);
      return Promise.resolve();
    });
  }

  private within<T>(organizationId: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    return organizationId === null
      ? this.database.system(work)
      : this.database.tenant(organizationId, work);
  }
}

function isAscending({ sort }: Filters): boolean {
  return sort === 'occurredAt';
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
