import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, ValidateNested } from 'class-validator';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import { EnumParam, IsInteger, IsName, Nullable, Optional, TextParam } from '../http/validators.js';
import type { Organization as OrganizationRow } from '../generated/prisma/client.js';

const STATUSES = ['active', 'suspended'] as const;
const SORTS = ['name', '-name', 'createdAt', '-createdAt'] as const;

/** Bounds of the settings: keys per account, seconds of a key's life, requests a minute. */
export const KEYS_RANGE = { min: 1, max: 100 };
export const LIFETIME_RANGE = { min: 3_600, max: 315_360_000 };
export const REQUESTS_RANGE = { min: 1, max: 1_000_000 };

/** Limits that an organization sets itself; those left out stay as they are. */
export class OrganizationSettingsInput {
  /** How many usable keys one service account may have. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: 100, example: 10 })
  @Optional()
  @IsInteger(KEYS_RANGE)
  maxKeysPerServiceAccount?: number;

  /** The longest life of a new key; null: keys may live for ever. */
  @ApiProperty({
    type: 'integer',
    required: false,
    nullable: true,
    minimum: 3_600,
    maximum: 315_360_000,
    example: 31_536_000,
  })
  @Nullable()
  @IsInteger(LIFETIME_RANGE)
  maxKeyLifetimeSeconds?: number | null;

  /** How often a minute each key and each session may use one operation; service accounts may have a limit of their own. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: 1_000_000, example: 500 })
  @Optional()
  @IsInteger(REQUESTS_RANGE)
  requestsPerMinute?: number;
}

/** A new organization. */
export class OrganizationCreateInput {
  /** @example Acme */
  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsName()
  name: string;

  @Optional()
  @ValidateNested()
  @Type(() => OrganizationSettingsInput)
  settings?: OrganizationSettingsInput;
}

/** What is to change; the rest stays. */
export class OrganizationUpdateInput {
  /** @example "Acme Incorporated" */
  @ApiProperty({ required: false, minLength: 1, maxLength: 100 })
  @Optional()
  @IsName()
  name?: string;

  @Optional()
  @ValidateNested()
  @Type(() => OrganizationSettingsInput)
  settings?: OrganizationSettingsInput;
}

/** Filters and order of the list of organizations. */
export class OrganizationsQuery extends PageQuery {
  @EnumParam(STATUSES, { description: 'Only organizations with this status.' })
  status?: (typeof STATUSES)[number];

  @TextParam({ max: 100, description: 'Part of the name, in any case.' })
  search?: string;

  /** Oldest first unless asked otherwise. */
  @Optional()
  @IsIn(SORTS)
  sort?: (typeof SORTS)[number];
}

/** Limits that hold in an organization. */
export class OrganizationSettings {
  /** How many usable keys one service account may have. */
  @ApiProperty({ type: 'integer', example: 10 })
  maxKeysPerServiceAccount: number;

  /** The longest life of a new key; null: keys may live for ever. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  maxKeyLifetimeSeconds: number | null;

  /** How often a minute each key and each session may use one operation; service accounts may have a limit of their own. */
  @ApiProperty({ type: 'integer', example: 500 })
  requestsPerMinute: number;
}

/** A tenant: its users, service accounts, keys and audit trail are nobody else's. */
export class Organization {
  /** @example org_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Acme */
  name: string;

  /** While suspended, its keys are refused and its members can only look at the organization. */
  @ApiProperty({ enum: STATUSES })
  status: string;

  settings: OrganizationSettings;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

/** A page of organizations. */
export class OrganizationPage {
  data: Organization[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** The organization as the API shows it. */
export function toOrganization(row: OrganizationRow): Tagged<Organization> {
  const organization: Organization = {
    id: row.id,
    name: row.name,
    status: row.status,
    settings: {
      maxKeysPerServiceAccount: row.maxKeysPerServiceAccount,
      maxKeyLifetimeSeconds: row.maxKeyLifetimeSeconds,
      requestsPerMinute: row.requestsPerMinute,
    },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
  return tagged(organization, row.version);
}
