import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength } from 'class-validator';
import { CreatedBy, toCreatedBy } from '../auth/created-by.dto.js';
import { WantsCookie } from '../auth/logs-in.decorator.js';
import { IsNewPassword } from '../auth/new-password.js';
import { LoginOrganization, LoginRole, LoginUser } from '../auth/sessions.dto.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { PageQuery } from '../http/pagination.js';
import { EnumParam, IsName, Optional, TextParam } from '../http/validators.js';
import { IsEmailAddress } from '../users/email.js';
import type { InvitationRow } from './invitations.sql.js';

const STATUSES = ['pending', 'accepted', 'revoked', 'expired'] as const;
const SORTS = ['createdAt', '-createdAt', 'expiresAt', '-expiresAt', 'email', '-email'] as const;

/** What has become of an invitation. */
export type InvitationStatus = (typeof STATUSES)[number];

/** Somebody to be invited. */
export class InvitationCreateInput {
  @IsEmailAddress()
  email: string;

  /**
   * The organization sees this name until the person accepts with their own.
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
}

/** Filters and order of the list of invitations. */
export class InvitationsQuery extends PageQuery {
  @EnumParam(STATUSES, { description: 'Only invitations with this status.' })
  status?: InvitationStatus;

  @TextParam({ max: 254, description: 'Part of the e-mail, in any case.' })
  search?: string;

  /** Newest first unless asked otherwise. */
  @Optional()
  @IsIn(SORTS)
  sort?: (typeof SORTS)[number];
}

/** An invitation to join the organization. */
export class Invitation {
  /** @example inv_01h455vb4pex5vsknk084sn02q */
  id: string;

  /**
   * The user, whose status is `invited` until the invitation is accepted.
   * @example usr_01h455vb4pex5vsknk084sn02q
   */
  userId: string;

  /** @example ada@example.com */
  email: string;

  role: LoginRole;

  /** `expired` ones can be sent again. */
  @ApiProperty({ enum: STATUSES })
  status: string;

  /** @example 2026-11-30T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  expiresAt: string;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  createdBy: CreatedBy;
}

/** An invitation that has just been made or sent again. */
export class IssuedInvitation extends Invitation {
  /**
   * What accepts the invitation, once; it is not shown again. The mail has a token of its own, which also proves that the
   * person reads it.
   * @example clvi_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000
   */
  token: string;

  /**
   * The page on which the person accepts; it is not shown again.
   * @example https://claviger.example.com/invitation#token=clvi_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000
   */
  link: string;

  /**
   * Whether the mail server has taken the mail, which has a link of its own; false: hand this link over yourself, or send
   * the invitation again. A retry with the same `Idempotency-Key` mails nothing, and says how it went the first time.
   */
  mailed: boolean;
}

/** A page of invitations. */
export class InvitationPage {
  data: Invitation[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** The acceptance of an invitation. */
export class InvitationAcceptInput {
  /**
   * The token of the invitation.
   * @example clvi_01k9x3m2v8f0jsn5w7d4t6qabc_0000000000000000000000000000000000000000000000000
   */
  @IsString()
  @MaxLength(128)
  token: string;

  /** For somebody who has never had a password; everybody else logs in first and leaves it out. */
  @Optional()
  @IsNewPassword()
  password?: string;

  /**
   * The person's own name, together with the first password.
   * @example "Ada Lovelace"
   */
  @ApiProperty({ required: false, minLength: 1, maxLength: 100 })
  @Optional()
  @IsName()
  name?: string;

  @WantsCookie()
  cookie?: boolean;
}

/** Who has accepted, and where they work now. */
export class AcceptedInvitation {
  /**
   * The bearer token of a new session, for somebody who has just set a first password; it is not
   * shown again. Absent when it was set as a cookie. Whoever was logged in goes on with the session they have.
   * @example clvs_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000
   */
  token?: string;

  /**
   * When the new session ends at the latest.
   * @example 2026-11-24T08:25:38.190Z
   */
  @ApiProperty({ required: false, format: 'date-time' })
  expiresAt?: string;

  user: LoginUser;

  organizations: LoginOrganization[];
}

/** The invitation as the API shows it. */
export function toInvitation(row: InvitationRow): Tagged<Invitation> {
  const body = {
    id: row.id,
    userId: row.userId,
    email: row.email,
    role: { key: row.roleKey, name: row.roleName },
    status: row.status,
    expiresAt: row.expiresAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    createdBy: toCreatedBy(row),
  };
  return tagged(body, row.version);
}
