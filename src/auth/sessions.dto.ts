import { ApiProperty } from '@nestjs/swagger';
import type { Session as SessionRow } from '../generated/prisma/client.js';
import { PageQuery } from '../http/pagination.js';
import { IsAnyText } from '../http/validators.js';
import type { MembershipCredential } from './credentials.js';
import { WantsCookie } from './logs-in.decorator.js';

/** A login. */
export class LoginInput {
  /** @example ada@example.com */
  @IsAnyText({ max: 254 })
  email: string;

  @ApiProperty({ format: 'password', example: 'correct horse battery staple' })
  @IsAnyText({ max: 1024 })
  password: string;

  @WantsCookie()
  cookie?: boolean;
}

/** The caller's own password, once more. */
export class ReauthenticationInput {
  @ApiProperty({ format: 'password', example: 'correct horse battery staple' })
  @IsAnyText({ max: 1024 })
  password: string;
}

/** Pages of one's own sessions, newest first. */
export class SessionsQuery extends PageQuery {}

/** The person who has logged in. */
export class LoginUser {
  /** @example usr_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example ada@example.com */
  email: string;

  /** @example "Ada Lovelace" */
  name: string;

  /** True for people who create and suspend organizations. */
  instanceAdministrator: boolean;
}

/** A role by key and name. */
export class LoginRole {
  /** @example owner */
  key: string;

  /** @example Owner */
  name: string;
}

/** An organization that the person works in. */
export class LoginOrganization {
  /** @example org_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Acme */
  name: string;

  /** While suspended, its members can only look at the organization, whatever their permissions. */
  @ApiProperty({ enum: ['active', 'suspended'] })
  status: 'active' | 'suspended';

  role: LoginRole;

  /**
   * What the person may do there, sorted.
   * @example ["organization:read", "users:read"]
   */
  permissions: string[];
}

/** The answer to a login. */
export class Login {
  /**
   * The bearer token of the session; it is not shown again. Absent when the session was set as a cookie.
   * @example clvs_01h455vb4pex5vsknk084sn02q_0000000000000000000000000000000000000000000000000
   */
  token?: string;

  /**
   * When the session ends at the latest; 30 minutes without a request end it too.
   * @example 2026-11-24T08:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  expiresAt: string;

  user: LoginUser;

  organizations: LoginOrganization[];
}

/** A login of the caller on some device. */
export class Session {
  /** @example ses_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example 2026-11-23T20:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  /**
   * Moves at most once a minute.
   * @example 2026-11-23T20:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  lastSeenAt: string;

  /** @example 2026-11-24T08:25:38.190Z */
  @ApiProperty({ format: 'date-time' })
  expiresAt: string;

  /**
   * When the person last proved their password for it: at the login, or later for what is dangerous.
   * @example 2026-11-23T20:25:38.190Z
   */
  @ApiProperty({ format: 'date-time' })
  authenticatedAt: string;

  /** @example 203.0.113.7 */
  ip: string;

  /** @example Mozilla/5.0 */
  userAgent: string | null;

  /** True for the session that the request is made with. */
  current: boolean;
}

/** A page of sessions. */
export class SessionPage {
  data: Session[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}

/** The session as the API shows it to its own person. */
export function toSession(row: SessionRow, currentId: string): Session {
  return {
    id: row.id,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    authenticatedAt: (row.authenticatedAt ?? row.createdAt).toISOString(),
    ip: row.ip,
    userAgent: row.userAgent,
    current: row.id === currentId,
  };
}

/** A person's membership as `/v1/me` and a login show it. */
export function toLoginOrganization(membership: MembershipCredential): LoginOrganization {
  const { organizationId, organizationName, organizationStatus, role, permissions } = membership;
  return {
    id: organizationId,
    name: organizationName,
    status: organizationStatus,
    role: { ...role },
    permissions: [...permissions].sort(),
  };
}
