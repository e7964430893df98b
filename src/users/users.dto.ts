import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, MaxLength } from 'class-validator';
import { PageQuery } from '../http/pagination.js';
import { IssuedInvitation } from '../invitations/invitations.dto.js';
import { STORABLE_PATTERN } from '../http/text-patterns.js';
import { Check, EnumParam, IsName, Optional, TextParam } from '../http/validators.js';
import {
  attributeFaults,
  type Attributes,
  MAX_ATTRIBUTE_ITEMS,
  MAX_ATTRIBUTE_LENGTH,
  MAX_ATTRIBUTES,
} from './attributes.js';
import { IsEmailAddress } from './email.js';

const STATUSES = ['active', 'invited', 'disabled'] as const;
const SORTS = [
  'createdAt',
  '-createdAt',
  'name',
  '-name',
  'email',
  '-email',
  'lastLoginAt',
  '-lastLoginAt',
] as const;

/** Where someone stands in an organization. */
export type UserStatus = (typeof STATUSES)[number];

const SCALARS = [
  { type: 'string', maxLength: MAX_ATTRIBUTE_LENGTH, pattern: STORABLE_PATTERN },
  { type: 'number' },
  { type: 'boolean' },
];

function AttributesProperty({ required }: { required: boolean }): PropertyDecorator {
  return ApiProperty({
    selfRequired: required,
    type: 'object',
    maxProperties: MAX_ATTRIBUTES,
    additionalProperties: {
      oneOf: [
        ...SCALARS,
        { type: 'array', maxItems: MAX_ATTRIBUTE_ITEMS, items: { oneOf: SCALARS } },
      ],
    },
    example: { department: 'Finance', costCenters: [4711, 4712], since: '2026-01-01T00:00:00Z' },
  });
}

/** A user to be created in the organization. */
export class UserCreateInput {
  @IsEmailAddress()
  email: string;

  /**
   * Kept only if nobody has this e-mail yet: a person's name is their own.
   * @example "Ada Lovelace"
   */
  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsName()
  name: string;

  /**
   * The key of a role of the organization, whose permissions the caller holds too.
   * @example viewer
   */
  @IsString()
  @MaxLength(64)
  role: string;

  /** What the organization notes about the user; at most 64 entries. */
  @AttributesProperty({ required: false })
  @Optional()
  @Check('isAttributes', attributeFaults)
  attributes?: Attributes;

  /**
   * True: with an invitation, as `invited` until it is accepted. Otherwise active at once, for whoever reads the mail of
   * this e-mail: the person sets a first password by "forgot password". Somebody who has one, but only from an invitation
   * that was handed to them, does so too.
   * @example true
   */
  @Optional()
  @IsBoolean()
  invite?: boolean;
}

/** What is to change; the rest stays. */
export class UserUpdateInput {
  /**
   * The key of a role of the organization.
   * @example viewer
   */
  @Optional()
  @IsString()
  @MaxLength(64)
  role?: string;

  /** All attributes: those that are left out are removed. */
  @AttributesProperty({ required: false })
  @Optional()
  @Check('isAttributes', attributeFaults)
  attributes?: Attributes;
}

/** Filters and order of the list of users. */
export class UsersQuery extends PageQuery {
  @EnumParam(STATUSES, { description: 'Only users with this status.' })
  status?: UserStatus;

  @TextParam({ max: 64, description: 'Only users with this role.', example: 'viewer' })
  role?: string;

  @TextParam({ max: 254, description: 'Part of the name or e-mail, in any case.' })
  search?: string;

  /** Oldest first unless asked otherwise. Users who never logged in did so first. */
  @Optional()
  @IsIn(SORTS)
  sort?: (typeof SORTS)[number];
}

/** A role by key and name. */
export class UserRole {
  /** @example viewer */
  key: string;

  /** @example Viewer */
  name: string;
}

/** Who made it, with the name of that time. */
export class UserCreatedBy {
  @ApiProperty({ enum: ['user', 'serviceAccount', 'system'] })
  type: string;

  /** @example sa_01h455vb4pex5vsknk084sn02q */
  id: string | null;

  /** @example "Directory Integration" */
  name: string;
}

/** A person in an organization. */
export class User {
  /** @example usr_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example ada@example.com */
  email: string;

  /** @example "Ada Lovelace" */
  name: string;

  role: UserRole;

  @ApiProperty({ enum: STATUSES })
  status: string;

  @AttributesProperty({ required: true })
  attributes: Attributes;

  /** The person's last login; null: never. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  lastLoginAt: string | null;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  createdBy: UserCreatedBy;
}

/** A user who has just been created. */
export class CreatedUser extends User {
  /** With `invite` only. */
  invitation?: IssuedInvitation;
}

/** A page of users. */
export class UserPage {
  data: User[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}
