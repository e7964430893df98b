import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayUnique, IsString, Matches, MaxLength } from 'class-validator';
import { rolePermissions } from '../auth/permissions.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import { EnumParam, IsName, IsText, Optional, TextParam } from '../http/validators.js';

const SORTS = ['key', '-key', 'name', '-name', 'createdAt', '-createdAt'] as const;

/** What the key of a custom role looks like. */
export const ROLE_KEY = /^[a-z][a-z0-9-]{1,62}$/;

/** A new custom role. */
export class RoleCreateInput {
  /**
   * How the role is named in the API; unique in the organization, and fixed.
   * @example key-keeper
   */
  @ApiProperty({ maxLength: 63, pattern: ROLE_KEY.source })
  @IsString()
  @Matches(ROLE_KEY)
  key: string;

  /** @example "Key keeper" */
  @IsName()
  name: string;

  /** @example "Replaces keys before they expire." */
  @Optional()
  @IsText({ max: 1000 })
  description?: string;

  /**
   * What the role permits: any permissions that the caller holds, built-in and registered.
   * @example ["service-accounts:read", "keys:read", "keys:manage", "reports:download"]
   */
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  @ArrayMaxSize(600)
  @ArrayUnique()
  permissions: string[];
}

/** What is to change; the rest stays. */
export class RoleUpdateInput {
  /** @example "Key keeper" */
  @Optional()
  @IsName()
  name?: string;

  /** @example "Replaces keys before they expire." */
  @Optional()
  @IsText({ max: 1000 })
  description?: string;

  /**
   * All that the role is to permit, built-in and registered permissions.
   * @example ["service-accounts:read", "keys:read", "keys:manage", "reports:download"]
   */
  @Optional()
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  @ArrayMaxSize(600)
  @ArrayUnique()
  permissions?: string[];
}

/** Filters and order of the list of roles. */
export class RolesQuery extends PageQuery {
  @TextParam({ max: 100, description: 'Part of the key or name, in any case.' })
  search?: string;

  @EnumParam(SORTS, { description: 'By key unless asked otherwise.' })
  sort?: (typeof SORTS)[number];
}

/** A named set of permissions, of which every user and service account has exactly one. */
export class Role {
  /** @example key-keeper */
  key: string;

  /** @example "Key keeper" */
  name: string;

  /** @example "Replaces keys before they expire." */
  description: string;

  /** Built-in roles are the same everywhere and cannot be changed. */
  builtIn: boolean;

  /**
   * What the role permits in this organization. `owner` and `admin` hold every permission that the organization has registered.
   * @example ["service-accounts:read", "keys:read", "keys:manage", "reports:download"]
   */
  permissions: string[];

  /**
   * How many users and service accounts have the role.
   * @example 3
   */
  @ApiProperty({ type: 'integer' })
  memberCount: number;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  updatedAt: string;
}

/** A page of roles. */
export class RolePage {
  data: Role[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** A permission, explained. */
export class PermissionEntry {
  /** @example keys:manage */
  permission: string;

  /** @example "Create, change, rotate and revoke keys." */
  description: string;
}

/** The catalogue of built-in permissions: one page holds all of them. */
export class PermissionPage {
  data: PermissionEntry[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** A role as it is read for the API. */
export interface RoleRow {
  key: string;
  name: string;
  description: string;
  builtIn: boolean;
  /** A custom role's own; what is registered for owner and admin; empty for the other built-in roles. */
  permissions: string[];
  memberCount: number;
  createdAt: Date;
  updatedAt: Date;
  version: number;
}

/** The role as the API shows it; who has it does not move its entity tag. */
export function toRole(row: RoleRow): Tagged<Role> {
  const role: Role = {
    key: row.key,
    name: row.name,
    description: row.description,
    builtIn: row.builtIn,
    permissions: [...rolePermissions(row)],
    memberCount: row.memberCount,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
  return tagged(role, row.version, ['memberCount']);
}
