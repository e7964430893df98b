import { Injectable } from '@nestjs/common';
import { DatabaseService, type Tx } from '../database/database.service.js';
import type { AuditCheckpoint, Prisma } from '../generated/prisma/client.js';
import {
  CursorCodec,
  cursorScope,
  mapPage,
  type Page,
  page,
  type PageQuery,
} from '../http/pagination.js';
import { Instance } from '../database/instance.js';
import { notFound } from '../http/problem.js';
import { type AuditEvent, type AuditEventsQuery, toAuditEvent } from './audit.dto.js';
import type { SignedCheckpoint } from './checkpoint.js';
import type { StoredEvent } from './chain.js';
import { eventId, sequenceOf } from './event-id.js';
import { SYSTEM_CHAIN } from './event.js';

/** Reads a chain of the trail: an organization's, or (for `null`) the instance's own. */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly cursors: CursorCodec,
  ) {}

  /** A page of events, newest first unless the query says otherwise. */
  async list(organizationId: string | null, query: AuditEventsQuery): Promise<Page<AuditEvent>> {
    const { limit, after, ...filters } = query;
    const chain = organizationId ?? SYSTEM_CHAIN;
    const scope = cursorScope(chain, 'audit-events', { ...filters });
    const position = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.read(organizationId, (tx) => find(tx, chain, query, position?.[0]));
    const cursor = {
      codec: this.cursors,
      scope,
      toPosition: (row: StoredEvent) => [row.sequence.toString()],
    };
    return mapPage(page(rows, limit, cursor), toAuditEvent);
  }

  /** One event. Errors: 404. */
  async get(organizationId: string | null, id: string): Promise<AuditEvent> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const sequence = sequenceOf(id);
    const rows =
      sequence === undefined
        ? []
        : await this.read(organizationId, (tx) =>
            tx.auditEvent.findMany({ where: { chain, sequence } }),
          );
    const row = rows.find((one) => eventId(chain, one.sequence, one.occurredAt.getTime()) === id);
    if (row === undefined) throw notFound('audit event');
    return toAuditEvent(row);
  }

  /** A page of the chain's checkpoints, oldest first. */
  async checkpoints(
    organizationId: string | null,
    { limit, after }: PageQuery,
  ): Promise<Page<SignedCheckpoint>> {
    const chain = organizationId ?? SYSTEM_CHAIN;
    const scope = cursorScope(chain, 'audit-checkpoints');
    const [position] = after === undefined ? [] : this.cursors.decode(scope, after);
    const rows = await this.read(organizationId, (tx) =>
      tx.auditCheckpoint.findMany({
        where: {
          chain,
          ...(position === undefined ? {} : { sequence: { gt: BigInt(position as string) } }),
        },
        orderBy: { sequence: 'asc' },
        take: limit + 1,
      }),
    );
    const toPosition = (row: AuditCheckpoint) => [row.sequence.toString()];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), (row) =>
      toSigned(this.instance.uid, row),
    );
  }

  private read<T>(organizationId: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
    return organizationId === null
      ? this.database.system(work)
      : this.database.tenant(organizationId, work);
  }
}

function toSigned(instance: string, row: AuditCheckpoint): SignedCheckpoint {
  const { chain, hash, setBackFrom, key, signature } = row;
  const checkpoint = {
    instance,
    chain,
    sequence: Number(row.sequence),
    hash: Buffer.from(hash).toString('hex'),
    at: row.at.toISOString(),
    ...(setBackFrom === null ? {} : { setBackFrom: Number(setBackFrom) }),
  };
  return { checkpoint, key, signature };
}

async function find(tx: Tx, chain: string, query: AuditEventsQuery, after: unknown) {
  const isDescending = query.sort !== 'occurredAt';
  return tx.auditEvent.findMany({
    where: {
      ...(await matching(tx, chain, query)),
      ...(after === undefined
        ? {}
        : { sequence: { [isDescending ? 'lt' : 'gt']: BigInt(after as string) } }),
    },
    orderBy: { sequence: isDescending ? 'desc' : 'asc' },
    take: query.limit + 1,
  });
}

/** The events of a chain that all filters let through. */
export async function matching(
  tx: Tx,
  chain: string,
  query: Omit<AuditEventsQuery, 'limit'>,
): Promise<Prisma.AuditEventWhereInput> {
  const targets = query.target === undefined ? undefined : await targetsOf(tx, query.target);
  return {
    chain,
    ...(query.actor === undefined ? {} : { actorId: query.actor }),
    ...(query.key === undefined ? {} : { keyId: query.key }),
    ...(query.action === undefined ? {} : { action: query.action }),
    ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
    ...(targets === undefined ? {} : { targetId: { in: targets } }),
    ...(query.requestId === undefined ? {} : { requestId: query.requestId }),
    occurredAt: {
      ...(query.from === undefined ? {} : { gte: new Date(query.from) }),
      ...(query.to === undefined ? {} : { lt: new Date(query.to) }),
    },
  };
}

/** A service account stands for its keys too: what was done to them was done to it. */
async function targetsOf(tx: Tx, target: string): Promise<string[]> {
  if (!target.startsWith('sa_')) return [target];
  const keys = await tx.key.findMany({
    where: { serviceAccountId: target },
    select: { id: true },
  });
  return [target, ...keys.map((key) => key.id)];
}
