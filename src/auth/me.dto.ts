import { ApiProperty } from '@nestjs/swagger';
import { lastingAnswers } from '../http/lasting-answer.js';
import { IsAnyText, IsName, Optional } from '../http/validators.js';
import type { Actor } from './actor.js';
import type { KeyCredential, SessionCredential } from './credentials.js';
import { IsNewPassword } from './new-password.js';
import { LoginOrganization, LoginRole, toLoginOrganization } from './sessions.dto.js';

/** The organization that a service account belongs to. */
export class MeOwnOrganization {
  /** @example org_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Acme */
  name: string;
}

/** The session that the request was made with. */
export class MeSession {
  /** @example ses_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** When it ends at the latest; 30 minutes without a request end it too. */
  @ApiProperty({ format: 'date-time', example: '2026-11-24T08:25:38.190Z' })
  expiresAt: string;

  /** When the person last proved their password for it: at the login, or later for what is dangerous. */
  @ApiProperty({ format: 'date-time', example: '2026-11-23T20:25:38.190Z' })
  authenticatedAt: string;
}

/** The key that the request was made with. */
export class MeKey {
  /** @example key_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example Default */
  name: string;

  /** Null: it has a public key instead of a token. */
  @ApiProperty({ type: 'string', nullable: true, example: 'clv_…AbCd' })
  obfuscatedToken: string | null;

  /** Null: it does not expire. */
  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  expiresAt: string | null;

  /** What the key is restricted to; null: all permissions of the role. */
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true, example: null })
  permissions: string[] | null;
}

/** The access token that the request was made with. */
export class MeAccessToken {
  /**
   * Its `jti`.
   * @example 5f0c7e8e-5d0f-4c7f-9f3a-0a4ad3b1c2d4
   */
  id: string;

  /** It ends here, or with its key if that is earlier. */
  @ApiProperty({ format: 'date-time', example: '2026-11-23T20:30:38.000Z' })
  expiresAt: string;

  /**
   * What it was narrowed to when it was made.
   * @example ["organization:read"]
   */
  scope: string[];
}

/** A person who is logged in. */
export class UserMe {
  @ApiProperty({ enum: ['user'] })
  kind: 'user';

  /** @example usr_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example ada@example.com */
  email: string;

  /** @example "Ada Lovelace" */
  name: string;

  /** True for people who create and suspend organizations. */
  instanceAdministrator: boolean;

  organizations: LoginOrganization[];

  session: MeSession;
}

/** A service account. */
export class ServiceAccountMe {
  @ApiProperty({ enum: ['serviceAccount'] })
  kind: 'serviceAccount';

  /** @example sa_01h455vb4pex5vsknk084sn02q */
  id: string;

  /** @example "Salesforce Integration" */
  name: string;

  organization: MeOwnOrganization;

  role: LoginRole;

  /**
   * What the presented credential may do, sorted: permissions of the role that the key has too, and an access token's
   * scope.
   * @example ["organization:read", "users:read"]
   */
  permissions: string[];

  key: MeKey;

  /** The access token (JWT) that was presented; null: it was the key itself. */
  @ApiProperty({ type: () => MeAccessToken, nullable: true, example: null })
  accessToken: MeAccessToken | null;
}

/** The caller. */
export type Me = UserMe | ServiceAccountMe;

/** What people may change about themselves. */
export class MeUpdateInput {
  /** @example "Ada Lovelace" */
  @ApiProperty({ required: false, minLength: 1, maxLength: 100 })
  @Optional()
  @IsName()
  name?: string;
}

/** A change of one's own password. */
export class PasswordChangeInput {
  @ApiProperty({ format: 'password', example: 'correct horse battery' })
  @IsAnyText({ max: 1024 })
  currentPassword: string;

  @IsNewPassword()
  newPassword: string;
}

/**
 * The caller as `/v1/me` shows it. Made of the credential alone, so that the audit gate can make it
 * again from a fresh one. The server itself is no caller: `TypeError`.
 */
export function toMe({ credential }: Actor): Me {
  if (credential === null) throw new TypeError('an actor without a credential is no caller');
  return credential.kind === 'key' ? lastingServiceAccountMe(credential) : toUserMe(credential);
}

const lastingServiceAccountMe = lastingAnswers(toServiceAccountMe);

function toUserMe(credential: SessionCredential): UserMe {
  return {
    kind: 'user',
    id: credential.userId,
    email: credential.email,
    name: credential.name,
    instanceAdministrator: credential.instanceAdministrator,
    organizations: credential.memberships.map(toLoginOrganization),
    session: {
      id: credential.sessionId,
      expiresAt: new Date(credential.expiresAt).toISOString(),
      authenticatedAt: new Date(credential.authenticatedAt).toISOString(),
    },
  };
}

function toServiceAccountMe(credential: KeyCredential): ServiceAccountMe {
  const { keyPermissions, keyExpiresAt, accessToken, scope } = credential;
  return {
    kind: 'serviceAccount',
    id: credential.accountId,
    name: credential.accountName,
    organization: { id: credential.organizationId, name: credential.organizationName },
    role: { ...credential.role },
    permissions: [...credential.permissions].sort(),
    key: {
      id: credential.keyId,
      name: credential.keyName,
      obfuscatedToken: credential.obfuscatedToken,
      expiresAt: keyExpiresAt === null ? null : new Date(keyExpiresAt).toISOString(),
      permissions: keyPermissions === null ? null : [...keyPermissions].sort(),
    },
    accessToken:
      accessToken === null
        ? null
        : {
            id: accessToken.jti,
            expiresAt: new Date(accessToken.expiresAt).toISOString(),
            scope: [...(scope ?? [])].sort(),
          },
  };
}
