import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { CreatedBy, type CreatorColumns, toCreatedBy } from '../auth/created-by.dto.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import {
  Check,
  EnumParam,
  IsInteger,
  IsName,
  IsStringMap,
  IsText,
  Nullable,
  Optional,
  TextParam,
} from '../http/validators.js';
import { FirstKeyInput, KeyWithToken } from '../keys/keys.dto.js';
import { webAddressFaults } from './web-address.js';

const STATUSES = ['active', 'disabled'] as const;
const SORTS = ['name', '-name', 'createdAt', '-createdAt', 'lastUsedAt', '-lastUsedAt'] as const;

/** Bounds of an account's own limit. */
const REQUESTS_RANGE = { min: 1, max: 1_000_000 };
const LABELS = {
  maxEntries: 32,
  maxKeyLength: 63,
  maxValueLength: 256,
  keyPattern: /^[a-zA-Z0-9._/-]{1,63}$/,
};
/** One line of 1 to 100 characters, nothing invisible in it, no white space around it. */
const SYSTEM = /^(?!\s)[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,100}(?<!\s)$/u;

/** `active`, or `disabled`: its keys are refused until it is enabled. */
export type ServiceAccountStatus = (typeof STATUSES)[number];

/** What says whom and what a service account is for. */
export class ServiceAccountDescription {
  /** @example "Keeps our customers in step with the CRM." */
  @Optional()
  @IsText({ max: 1000 })
  description?: string;

  /**
   * Who answers for it: an active user of the organization.
   * @example usr_01h455vb4pex5vsknk084sn02q
   */
  @ApiProperty({ type: 'string', nullable: true, required: false })
  @Nullable()
  @IsString()
  @MaxLength(64)
  ownerId?: string | null;

  /**
   * Who answers when the owner cannot: an active user of the organization.
   * @example usr_01h455vb4pex5vsknk084sn02q
   */
  @ApiProperty({ type: 'string', nullable: true, required: false })
  @Nullable()
  @IsString()
  @MaxLength(64)
  backupOwnerId?: string | null;

  /** @example "Nightly synchronization of accounts and contacts" */
  @Optional()
  @IsText({ max: 1000 })
  purpose?: string;

  /**
   * The systems that it connects.
   * @example ["Salesforce", "Data warehouse"]
   */
  @Optional()
  @IsString({ each: true })
  @Matches(SYSTEM, { each: true })
  @ArrayMaxSize(32)
  @ArrayUnique()
  systems?: string[];

  /**
   * Where it is documented: an http or https address.
   * @example https://wiki.example.com/integrations/salesforce
   */
  @ApiProperty({ type: 'string', format: 'uri', maxLength: 2000, nullable: true, required: false })
  @Nullable()
  @Check('isWebAddress', webAddressFaults)
  documentationUrl?: string | null;

  /**
   * Up to 32 pairs. Keys have letters, digits and `. _ - /`, at most 63; values at most 256 characters.
   * @example { "team": "sales", "environment": "production" }
   */
  @Optional()
  @IsStringMap(LABELS)
  labels?: Record<string, string>;

  /** How often a minute each of its keys may use one operation; null: as often as the organization's settings say. */
  @ApiProperty({
    type: 'integer',
    required: false,
    nullable: true,
    minimum: 1,
    maximum: 1_000_000,
    example: 1_000,
  })
  @Nullable()
  @IsInteger(REQUESTS_RANGE)
  requestsPerMinute?: number | null;
}

/** A new service account. */
export class ServiceAccountCreateInput extends ServiceAccountDescription {
  /**
   * Unique in the organization, in any case. Every request is audited under this name.
   * @example "Salesforce Integration"
   */
  @IsName()
  name: string;

  /**
   * The key of a role.
   * @example viewer
   */
  @IsName({ max: 63 })
  role: string;

  /** The key that is made along with it. */
  @Optional()
  @ValidateNested()
  @Type(() => FirstKeyInput)
  key?: FirstKeyInput;
}

/** What is to change; the rest stays. */
export class ServiceAccountUpdateInput extends ServiceAccountDescription {
  /** @example "Salesforce Integration" */
  @Optional()
  @IsName()
  name?: string;

  /**
   * The key of a role. The caller must hold all that the old and the new role permit.
   * @example viewer
   */
  @Optional()
  @IsName({ max: 63 })
  role?: string;
}

/** Filters and order of the list of service accounts. */
export class ServiceAccountsQuery extends PageQuery {
  @TextParam({ max: 100, description: 'Part of the name, in any case.' })
  search?: string;

  @EnumParam(STATUSES, { description: 'Only service accounts with this status.' })
  status?: ServiceAccountStatus;

  @TextParam({ max: 63, description: 'Only service accounts with this role.', example: 'viewer' })
  role?: string;

  @TextParam({
    max: 64,
    description: 'Only service accounts of this owner; backup owners do not count.',
    example: 'usr_01h455vb4pex5vsknk084sn02q',
  })
  ownerId?: string;

  @EnumParam(SORTS, {
    description: 'By name unless asked otherwise. Accounts never used were used first.',
  })
  sort?: (typeof SORTS)[number];
}

/** A role by key and name. */
export class ServiceAccountRole {
  /** @example viewer */
  key: string;

  /** @example Viewer */
  name: string;
}

/** A person who answers for a service account. */
export class ServiceAccountOwner {
  /** @example usr_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example "Ada Lovelace" */
  name: string;

  /** @example ada@example.com */
  email: string;
}

/** A technical user: the identity of one integration. It belongs to the organization, never to a person. */
export class ServiceAccount {
  /** @example sa_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example org_01h455vb4pex5vsknk084sn02q */
  organizationId: string;

  /** @example "Salesforce Integration" */
  name: string;

  /** @example "Keeps our customers in step with the CRM." */
  description: string;

  role: ServiceAccountRole;

  /** While disabled, its keys are refused. */
  @ApiProperty({ enum: STATUSES })
  status: ServiceAccountStatus;

  owner: ServiceAccountOwner | null;

  backupOwner: ServiceAccountOwner | null;

  /** @example "Nightly synchronization of accounts and contacts" */
  purpose: string;

  /** @example ["Salesforce", "Data warehouse"] */
  systems: string[];

  @ApiProperty({
    type: 'string',
    format: 'uri',
    nullable: true,
    example: 'https://wiki.example.com/integrations/salesforce',
  })
  documentationUrl: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { team: 'sales', environment: 'production' },
  })
  labels: Record<string, string>;

  /** How often a minute each of its keys may use one operation; null: as often as the organization's settings say. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  requestsPerMinute: number | null;

  /**
   * How many of its keys are usable: neither revoked nor expired.
   * @example 1
   */
  @ApiProperty({ type: 'integer' })
  keyCount: number;

  /** To the minute; null: never. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  lastUsedAt: string | null;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  createdBy: CreatedBy;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

/** A new service account and its first key. */
export class ServiceAccountCreated {
  serviceAccount: ServiceAccount;

  /** With its token, which no other answer ever shows. */
  key: KeyWithToken;
}

/** A page of service accounts. */
export class ServiceAccountPage {
  data: ServiceAccount[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** A service account as it is read for the API. */
export interface ServiceAccountRow extends CreatorColumns {
  id: string;
  organizationId: string;
  name: string;
  description: string;
  roleKey: string;
  roleName: string;
  status: ServiceAccountStatus;
  ownerId: string | null;
  ownerName: string | null;
  ownerEmail: string | null;
  backupOwnerId: string | null;
  backupOwnerName: string | null;
  backupOwnerEmail: string | null;
  purpose: string;
  systems: string[];
  documentationUrl: string | null;
  labels: Record<string, string>;
  requestsPerMinute: number | null;
  keyCount: number;
  lastUsedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  version: number;
}

/** The service account as the API shows it; neither its use nor its keys move its entity tag. */
export function toServiceAccount(row: ServiceAccountRow): Tagged<ServiceAccount> {
  const account: ServiceAccount = {
    id: row.id,
    organizationId: row.organizationId,
    name: row.name,
    description: row.description,
    role: { key: row.roleKey, name: row.roleName },
    status: row.status,
    owner: toOwner(row.ownerId, row.ownerName, row.ownerEmail),
    backupOwner: toOwner(row.backupOwnerId, row.backupOwnerName, row.backupOwnerEmail),
    purpose: row.purpose,
    systems: row.systems,
    documentationUrl: row.documentationUrl,
    labels: row.labels,
    requestsPerMinute: row.requestsPerMinute,
    keyCount: row.keyCount,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    createdBy: toCreatedBy(row),
    updatedAt: row.updatedAt.toISOString(),
  };
  return tagged(account, row.version, ['keyCount', 'lastUsedAt']);
}

function toOwner(id: string | null, name: string | null, email: string | null) {
  return id === null || name === null || email === null ? null : { id, name, email };
}
