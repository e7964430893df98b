import { ApiProperty } from '@nestjs/swagger';
import { CreatedBy } from '../auth/created-by.dto.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import { BooleanParam, Check, EnumParam, IsName, Optional, TextParam } from '../http/validators.js';
import { MAX_PERMISSION_LENGTH, PERMISSION_NAME, permissionNameFaults } from './permission-name.js';

const SORTS = ['permission', '-permission', 'createdAt', '-createdAt'] as const;

/** A permission of one's own API. */
export class PermissionCreateInput {
  /**
   * `namespace:action`: lower-case letters and digits, hyphens between words, dots within the namespace. Fixed, unique in
   * the organization, and not in a namespace of the built-in permissions.
   * @example reports:download
   */
  @ApiProperty({
    type: 'string',
    minLength: 3,
    maxLength: MAX_PERMISSION_LENGTH,
    pattern: PERMISSION_NAME.source,
  })
  @Check('isPermissionName', permissionNameFaults)
  permission: string;

  /**
   * A sentence that tells an administrator what is granted.
   * @example "Download monthly reports as CSV."
   */
  @IsName({ max: 200 })
  description: string;
}

/** What is to change; the rest stays. */
export class PermissionUpdateInput {
  /** @example "Download monthly and yearly reports as CSV." */
  @Optional()
  @IsName({ max: 200 })
  description?: string;
}

/** Filters and order of the list of permissions. */
export class OrganizationPermissionsQuery extends PageQuery {
  @TextParam({ max: 128, description: 'Part of the name or description, in any case.' })
  search?: string;

  @BooleanParam({ description: 'True: only built-in ones; false: only registered ones.' })
  builtIn?: boolean;

  @EnumParam(SORTS, {
    description: 'By name unless asked otherwise. By time, the built-in ones are the oldest.',
  })
  sort?: (typeof SORTS)[number];
}

/** A permission that roles of the organization can grant: built-in, or registered for an API of its own. */
export class OrganizationPermission {
  /** @example reports:download */
  permission: string;

  /** @example "Download monthly reports as CSV." */
  description: string;

  /**
   * Built-in permissions open operations of this API; they are the same everywhere and cannot be changed.
   * @example false
   */
  builtIn: boolean;

  /** Who registered it; null for a built-in one. */
  createdBy: CreatedBy | null;

  /**
   * Null for a built-in one.
   * @example 2026-11-25T08:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  createdAt: string | null;

  /**
   * Null for a built-in one.
   * @example 2026-11-25T08:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  updatedAt: string | null;
}

/** A page of permissions. */
export class OrganizationPermissionPage {
  data: OrganizationPermission[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** A permission of either kind as it is read for the API. */
export interface PermissionRow {
  permission: string;
  description: string;
  builtIn: boolean;
  createdByType: string | null;
  createdById: string | null;
  createdByName: string | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  version: number;
}

/** The permission as the API shows it. */
export function toPermission(row: PermissionRow): Tagged<OrganizationPermission> {
  const { permission, description, builtIn, createdByType, createdByName } = row;
  const shown: OrganizationPermission = {
    permission,
    description,
    builtIn,
    createdBy:
      createdByType === null || createdByName === null
        ? null
        : { type: createdByType, id: row.createdById, name: createdByName },
    createdAt: row.createdAt?.toISOString() ?? null,
    updatedAt: row.updatedAt?.toISOString() ?? null,
  };
  return tagged(shown, row.version);
}
