import { ApiProperty } from '@nestjs/swagger';
import { PageQuery } from '../http/pagination.js';
import { IntegerParam } from '../http/validators.js';
import type { KeyStatus } from './keys.dto.js';

const RELATIONS = ['this', 'predecessor', 'successor'] as const;

/** How a key stands to the one asked about. */
export type KeyRelation = (typeof RELATIONS)[number];

/** Which days to show. */
export class KeyUsageQuery extends PageQuery {
  @IntegerParam({
    min: 1,
    max: 90,
    default: 30,
    description: 'How many days, today (UTC) among them.',
  })
  days: number = 30;
}

/** A key and how much it was used in these days. */
export class KeyUsageTotal {
  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Default */
  name: string;

  /** `this`: the key asked about. */
  @ApiProperty({ enum: RELATIONS })
  relation: KeyRelation;

  @ApiProperty({ enum: ['active', 'expiring', 'expired', 'revoked'] })
  status: KeyStatus;

  /** Null: never. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  expiresAt: string | null;

  /** Requests that the key was good for, whatever they were answered. */
  @ApiProperty({ type: 'integer', example: 1204 })
  requests: number;

  /** Of `requests`: answered with a refusal, as the outcome `denied` of the audit trail. */
  @ApiProperty({ type: 'integer', example: 3 })
  denied: number;

  /** Requests that were refused though the token was right: the key had ended, say. */
  @ApiProperty({ type: 'integer', example: 0 })
  refused: number;

  /** Of `requests` the last; null: there is none in these days. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  lastUsedAt: string | null;

  /** Of `refused` the last; null: there is none in these days. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  lastRefusedAt: string | null;
}

/** How often a key was used on one day for one operation, from one address, by one client. */
export class KeyUsageRow {
  /** In UTC. */
  @ApiProperty({ format: 'date', example: '2026-11-23' })
  day: string;

  /** @example key_01h455vb4pex5vsknk084sn02q */
  keyId: string;

  /**
   * Method and route; `*` where there is none.
   * @example "GET /v1/organizations/{organizationId}/users"
   */
  route: string;

  /**
   * The address. `other`, like the client, for all beyond 32 different addresses and clients a key and day. Of a key that was
   * only asked about (introspection): what the asking service told, or `unknown`.
   * @example 203.0.113.7
   */
  ip: string;

  /**
   * The first product of the `User-Agent`, or `unknown`.
   * @example python-requests/2.31
   */
  client: string;

  /** Requests that the key was good for, whatever they were answered. */
  @ApiProperty({ type: 'integer', example: 24 })
  requests: number;

  /** Of `requests`: answered with a refusal. */
  @ApiProperty({ type: 'integer', example: 1 })
  denied: number;

  /** Requests that were refused though the token was right. */
  @ApiProperty({ type: 'integer', example: 0 })
  refused: number;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  lastUsedAt: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  lastRefusedAt: string | null;
}

/** A page of the usage of a key and its next of kin, latest day first. */
export class KeyUsagePage {
  /** The first day, in UTC. */
  @ApiProperty({ format: 'date', example: '2026-10-26' })
  from: string;

  /** The last day: today, in UTC. */
  @ApiProperty({ format: 'date', example: '2026-11-24' })
  to: string;

  /**
   * The key, then the one that it replaces, then the one that replaces it, as far as there are such. On the first page
   * only.
   */
  keys?: KeyUsageTotal[];

  data: KeyUsageRow[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}
