import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayUnique, IsString, MaxLength } from 'class-validator';
import { CreatedBy, type CreatorColumns, toCreatedBy } from '../auth/created-by.dto.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import {
  Check,
  EnumParam,
  IsName,
  IsTimestamp,
  Nullable,
  Optional,
  TextParam,
  TimestampParam,
} from '../http/validators.js';
import { cidrFaults } from './cidrs.js';
import { type PublicJwk, publicJwkFaults } from './public-jwk.js';
import { PublicKey } from './public-key.dto.js';

const STATUSES = ['active', 'expiring', 'expired', 'revoked'] as const;
const KEY_TYPES = ['token', 'publicKey'] as const;
const ACCOUNT_SORTS = [
  'createdAt',
  '-createdAt',
  'expiresAt',
  '-expiresAt',
  'lastUsedAt',
  '-lastUsedAt',
] as const;

/** `active`, `expiring` (has a successor, still usable), `expired` or `revoked`. */
export type KeyStatus = (typeof STATUSES)[number];

/** What a key authenticates by. */
export type KeyType = (typeof KEY_TYPES)[number];

/** What limits a key. */
export class KeyLimits {
  /**
   * When the key stops working. Null or absent: never, or as late as the organization's
   * `maxKeyLifetimeSeconds` allows.
   * @example 2027-11-23T00:00:00Z
   */
  @ApiProperty({ nullable: true })
  @Nullable()
  @IsTimestamp()
  expiresAt?: string | null;

  /**
   * What the key may do of what the account's role permits. Null or absent: all of it, also what the
   * role is given later.
   * @example ["users:read"]
   */
  @ApiProperty({ type: [String], nullable: true, required: false, uniqueItems: true })
  @Nullable()
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  @ArrayMaxSize(600)
  @ArrayUnique()
  permissions?: string[] | null;

  /**
   * The networks from which the key may be used. Empty or absent: anywhere.
   * @example ["203.0.113.0/24", "2001:db8::/32"]
   */
  @Optional()
  @Check('isCidr', cidrFaults, { each: true })
  @ArrayMaxSize(64)
  @ArrayUnique()
  allowedCidrs?: string[];
}

/** What a new key is made with. */
export class NewKeyLimits extends KeyLimits {
  /**
   * The public key of a pair that the integration has made. Then the key has no token: the integration signs assertions
   * with its private key, and gets access tokens for them (`private_key_jwt`, RFC 7523). Absent: a token is made.
   */
  @ApiProperty({ type: () => PublicKey, required: false })
  @Optional()
  @Check('isPublicJwk', publicJwkFaults)
  publicKey?: PublicKey;
}

/** A new key. */
export class KeyCreateInput extends NewKeyLimits {
  /** @example "Production 2027" */
  @IsName()
  name: string;
}

/** The key that a new service account begins with. */
export class FirstKeyInput extends NewKeyLimits {
  /**
   * `Default` unless given.
   * @example "Production 2027"
   */
  @Optional()
  @IsName()
  name?: string;
}

/** What is to change; the rest stays. */
export class KeyUpdateInput extends KeyLimits {
  /** @example "Production 2027" */
  @Optional()
  @IsName()
  name?: string;
}

/** Filters and order of the list of one account's keys. */
export class AccountKeysQuery extends PageQuery {
  @EnumParam(STATUSES, { description: "Only keys in this state, by the database's clock." })
  status?: KeyStatus;

  @EnumParam(ACCOUNT_SORTS, {
    description:
      'Newest first unless asked otherwise. Keys without expiry expire last; keys never used were used first.',
  })
  sort?: (typeof ACCOUNT_SORTS)[number];
}

/** Filters and order of the list of all keys of an organization. */
export class KeysQuery extends AccountKeysQuery {
  @TextParam({
    max: 64,
    description: 'Only keys of this service account.',
    example: 'sa_01h455vb4pex5vsknk084sn02q',
  })
  serviceAccountId?: string;

  @TextParam({ max: 100, description: 'Part of the name, in any case.' })
  search?: string;

  @TimestampParam({
    description: 'Only keys that expire before this time.',
    example: '2027-01-01T00:00:00Z',
  })
  expiresBefore?: string;
}

/** One API token of a service account. The token itself is never shown again. */
export class Key {
  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example sa_01h455vb4pex5vsknk084sn02q */
  serviceAccountId: string;

  /** @example Default */
  name: string;

  /** What authenticates: a token, or assertions that are signed with the private key to `publicKey`. */
  @ApiProperty({ enum: KEY_TYPES })
  type: KeyType;

  /** All that can be seen of the token: its prefix and its last four characters. Null: there is none. */
  @ApiProperty({ type: 'string', nullable: true, example: 'clv_…AbCd' })
  obfuscatedToken: string | null;

  /** Null: the key has a token. */
  @ApiProperty({ type: () => PublicKey, nullable: true, example: null })
  publicKey: PublicKey | null;

  /** Null: all permissions of the account's role. Otherwise those of the role that are listed here. */
  @ApiProperty({ type: [String], nullable: true, example: null })
  permissions: string[] | null;

  /**
   * The networks from which the key may be used; empty: anywhere.
   * @example ["203.0.113.0/24"]
   */
  allowedCidrs: string[];

  /** Null: never. */
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    example: '2027-11-23T00:00:00.000Z',
  })
  expiresAt: string | null;

  /** `expiring`: it has a successor and still works. */
  @ApiProperty({ enum: STATUSES })
  status: KeyStatus;

  /** To the minute; null: never. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  lastUsedAt: string | null;

  @ApiProperty({ type: 'string', nullable: true, example: '203.0.113.7' })
  lastUsedIp: string | null;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  createdBy: CreatedBy;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  revokedAt: string | null;

  /** The key that this one replaces. */
  @ApiProperty({ type: 'string', nullable: true, example: null })
  rotatedFromId: string | null;

  /** The key that replaces this one. */
  @ApiProperty({ type: 'string', nullable: true, example: null })
  replacedById: string | null;
}

/** A new key, with its token. */
export class KeyWithToken extends Key {
  /**
   * The API token: this answer is the only one that shows it. Send it as `Authorization: Bearer …`. Null for a key with a
   * public key.
   */
  @ApiProperty({
    type: 'string',
    nullable: true,
    example: 'clv_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000',
  })
  token: string | null;
}

/** A page of keys. */
export class KeyPage {
  data: Key[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** A key as it is read for the API. */
export interface KeyRow extends CreatorColumns {
  id: string;
  serviceAccountId: string;
  name: string;
  obfuscatedToken: string | null;
  /** As it was stored: a valid one, or null. */
  publicKey: unknown;
  allPermissions: boolean;
  permissions: string[];
  allowedCidrs: string[];
  expiresAt: Date | null;
  /** By the database's clock. */
  status: KeyStatus;
  lastUsedAt: Date | null;
  lastUsedIp: string | null;
  createdAt: Date;
  revokedAt: Date | null;
  rotatedFromId: string | null;
  replacedById: string | null;
  version: number;
}

/** The key as the API shows it; its use does not move its entity tag. */
export function toKey(row: KeyRow): Tagged<Key> {
  const key: Key = {
    id: row.id,
    serviceAccountId: row.serviceAccountId,
    name: row.name,
    type: row.publicKey === null ? 'token' : 'publicKey',
    obfuscatedToken: row.obfuscatedToken,
    publicKey: row.publicKey as PublicJwk | null,
    permissions: row.allPermissions ? null : row.permissions,
    allowedCidrs: row.allowedCidrs,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    status: row.status,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastUsedIp: row.lastUsedIp,
    createdAt: row.createdAt.toISOString(),
    createdBy: toCreatedBy(row),
    revokedAt: row.revokedAt?.toISOString() ?? null,
    rotatedFromId: row.rotatedFromId,
    replacedById: row.replacedById,
  };
  return tagged(key, row.version, ['lastUsedAt', 'lastUsedIp']);
}

/** The new key with its token, for the one answer that shows it. */
export function toKeyWithToken(row: KeyRow, token: string | null): Tagged<KeyWithToken> {
  return { ...toKey(row), token };
}
