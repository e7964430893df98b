import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { PageQuery } from '../http/pagination.js';
import { IntegerParam, IsAnyText, IsTimestamp, Optional } from '../http/validators.js';
import type { AuditBody, AuditChanges, AuditDetails, AuditOutcome } from './event.js';
import type { StoredEvent } from './chain.js';
import { eventId } from './event-id.js';
import { SignedTombstoneDto } from './tombstone.dto.js';

const OUTCOMES = ['success', 'denied', 'error'] as const;
const SORTS = ['-occurredAt', 'occurredAt'] as const;

/** The longest page of a verification. */
export const MAX_VERIFY_LIMIT = 100_000;

/** Filters of the audit trail; those given must all hold. */
export class AuditEventsQuery extends PageQuery {
  /**
   * The id of a user or service account that did it.
   * @example sa_01h455vb4pex5vsknk084sn02q
   */
  @Optional()
  @IsAnyText({ max: 64 })
  actor?: string;

  /**
   * The id of the key that it was done with.
   * @example key_01h455vb4pex5vsknk084sn02q
   */
  @Optional()
  @IsAnyText({ max: 64 })
  key?: string;

  /**
   * What happened.
   * @example key.revoked
   */
  @Optional()
  @IsAnyText({ max: 64 })
  action?: string;

  /** How it ended. */
  @Optional()
  @IsIn(OUTCOMES)
  outcome?: AuditOutcome;

  /**
   * The id of what it was done to. A service account's id also finds what was done to its keys.
   * @example sa_01h455vb4pex5vsknk084sn02q
   */
  @Optional()
  @IsAnyText({ max: 64 })
  target?: string;

  /**
   * Only events at or after this time.
   * @example 2026-11-01T00:00:00Z
   */
  @Optional()
  @IsTimestamp()
  from?: string;

  /**
   * Only events before this time.
   * @example 2026-12-01T00:00:00Z
   */
  @Optional()
  @IsTimestamp()
  to?: string;

  /**
   * The `X-Request-Id` of a response: finds the request and all that it changed.
   * @example req_01h455vb4pex5vsknk084sn02q
   */
  @Optional()
  @IsAnyText({ max: 64 })
  requestId?: string;

  /** Newest first unless asked otherwise. */
  @Optional()
  @IsIn(SORTS)
  sort?: (typeof SORTS)[number];
}

/** Which part of a chain to verify. */
export class VerifyQuery {
  @IntegerParam({
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    default: 1,
    description: 'The first sequence number to verify.',
  })
  fromSequence: number = 1;

  @IntegerParam({
    min: 1,
    max: MAX_VERIFY_LIMIT,
    default: 10_000,
    description: 'How many events to verify at most.',
  })
  limit: number = 10_000;
}

/** Who did it, with the name of that time. */
export class AuditActorDto {
  /** `unverified`: a known key id was presented with a wrong secret. */
  @ApiProperty({ enum: ['user', 'serviceAccount', 'system', 'anonymous', 'unverified'] })
  type: string;

  /** @example sa_01h455vb4pex5vsknk084sn02q */
  id: string | null;

  /** @example "Salesforce Integration" */
  name: string | null;
}

/** The key that was used, with the name of that time. */
export class AuditKeyDto {
  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Default */
  name: string;
}

/** What it was done to, with the name of that time. */
export class AuditTargetDto {
  /** @example key */
  type: string;

  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Default */
  name: string;
}

/** One event of the audit trail. */
export class AuditEvent {
  /** @example evt_01h455vb4pex5vsknk084sn02q */
  id: string;

  /**
   * The place in the chain, without gaps from 1.
   * @example 42
   */
  @ApiProperty({ type: 'integer' })
  sequence: number;

  /**
   * By the database's clock.
   * @example 2026-11-23T20:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  occurredAt: string;

  /**
   * Null on the chain of the instance itself.
   * @example org_01h455vb4pex5vsknk084sn02q
   */
  organizationId: string | null;

  /**
   * `http.request` for the one event of every response; `thing.happened` for changes.
   * @example http.request
   */
  action: string;

  @ApiProperty({ enum: OUTCOMES })
  outcome: AuditOutcome;

  actor: AuditActorDto;

  key: AuditKeyDto | null;

  targets: AuditTargetDto[];

  /**
   * The permission that the operation asks for.
   * @example keys:manage
   */
  permission: string | null;

  /** @example GET */
  method: string | null;

  /**
   * The route's template.
   * @example /v1/me
   */
  route: string | null;

  /**
   * The path as it was asked for, without its query.
   * @example /v1/me
   */
  path: string | null;

  /** @example 200 */
  @ApiProperty({ type: 'integer', nullable: true })
  status: number | null;

  /**
   * Why it was refused or failed.
   * @example revoked
   */
  reason: string | null;

  /** @example 203.0.113.7 */
  ip: string | null;

  /** @example curl/8.5.0 */
  userAgent: string | null;

  /** @example req_01h455vb4pex5vsknk084sn02q */
  requestId: string | null;

  /** Changed fields as `{ field: { before, after } }`; never a secret. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: { name: { before: 'Salesforce', after: 'Salesforce Integration' } },
  })
  changes: AuditChanges | null;

  /** What else is to be known, such as the number of rows of an export; never a secret. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  details: AuditDetails | null;

  /**
   * Hex SHA-256 of the event before.
   * @example 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
   */
  previousHash: string;

  /**
   * Hex SHA-256 of this event.
   * @example fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
   */
  hash: string;
}

/** A page of the audit trail. */
export class AuditEventPage {
  data: AuditEvent[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** Where a chain ends. */
export class ChainHead {
  /** @example 42 */
  @ApiProperty({ type: 'integer' })
  sequence: number;

  /**
   * Hex SHA-256; kept elsewhere, it proves later that nothing before it was changed.
   * @example fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
   */
  hash: string;
}

/** The answer of a verification. */
export class Verification {
  /** True when every event looked at is as it was written. */
  valid: boolean;

  /**
   * How many events were looked at and found good.
   * @example 42
   */
  @ApiProperty({ type: 'integer' })
  events: number;

  /**
   * Where retention has taken off the beginning of the chain: the sequence of the last event that is gone. Verified is what comes after it.
   * @example 4711
   */
  @ApiProperty({ type: 'integer', required: false })
  retiredThrough?: number;

  /** The signed tombstone that says so: a line of it, among the checkpoints, is what `claviger verify` checks an export's beginning against. */
  @ApiProperty({ type: SignedTombstoneDto, required: false })
  tombstone?: SignedTombstoneDto;

  /** The first event that was changed, removed or inserted. */
  @ApiProperty({ type: 'integer', required: false })
  firstBadSequence?: number;

  /** Where to go on; absent at the end of the chain. */
  @ApiProperty({ type: 'integer', required: false })
  next?: number;

  head: ChainHead;
}

/** A stored event as the API shows it. */
export function toAuditEvent(row: StoredEvent): AuditEvent {
  const body = JSON.parse(row.body) as AuditBody;
  return {
    id: eventId(row.chain, row.sequence, row.occurredAt.getTime()),
    sequence: Number(row.sequence),
    occurredAt: row.occurredAt.toISOString(),
    organizationId: body.organizationId,
    action: body.action,
    outcome: body.outcome,
    actor: body.actor,
    key: body.key,
    targets: body.targets,
    permission: body.permission,
    method: body.method,
    route: body.route,
    path: body.path,
    status: body.status,
    reason: body.reason,
    ip: body.ip,
    userAgent: body.userAgent,
    requestId: body.requestId,
    changes: body.changes,
    details: body.details ?? null,
    previousHash: Buffer.from(row.previousHash).toString('hex'),
    hash: Buffer.from(row.hash).toString('hex'),
  };
}
