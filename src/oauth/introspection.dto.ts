import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import type { KeyCredential } from '../auth/credentials.js';
import { addressAllowed } from '../http/address.js';
import { Check, fault, type FieldCheck, Optional } from '../http/validators.js';

const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
/** With the zone that some write behind an address. */
export const MAX_CLIENT_IP = 64;
const ANYWHERE = ['0.0.0.0/0', '::/0'];

const isScope: FieldCheck = (value) =>
  typeof value === 'string' && SCOPE.test(value)
    ? []
    : fault('invalid_format', 'Must be permissions, separated by single spaces.');

const isAddress: FieldCheck = (value) =>
  typeof value === 'string' && value.length <= MAX_CLIENT_IP && addressAllowed(value, ANYWHERE)
    ? []
    : fault('invalid_format', 'Must be an IPv4 or IPv6 address.');

/** The question of RFC 7662 section 2.1, with two parameters of this server that narrow it. */
export class IntrospectionInput {
  /**
   * The token that somebody has shown you.
   * @example clv_01h455vb4pex5vsknk084sn02q_5yFDxUo0mM4lRWDFnFvBEsFcCwBpqdmoeqeDDF8jG2f2ZVYrm
   */
  @IsString()
  token: string;

  /**
   * Ignored: the token itself tells what it is.
   * @example access_token
   */
  @Optional()
  @IsString()
  token_type_hint?: string;

  /**
   * What the token must permit: permissions, separated by spaces. It is inactive when one is missing.
   * @example reports:download
   */
  @Optional()
  @MaxLength(4_000)
  @Check('isScope', isScope)
  required_scope?: string;

  /**
   * The address from which the token was shown to you. A key that may be used from some networks only is inactive from
   * elsewhere, and without this parameter. It is noted as the address where the key was last used.
   * @example 203.0.113.7
   */
  @Optional()
  @Check('isAddress', isAddress)
  client_ip?: string;
}

/** The answer of RFC 7662 section 2.2. A token that is not active has no other member, whatever the reason is. */
export class Introspection {
  /** Whether the token may be used now, for what the question says. */
  @ApiProperty({ example: true })
  active: boolean;

  /**
   * The service account that the token belongs to.
   * @example sa_01h455vb4pex5vsknk084sn02q
   */
  client_id?: string;

  /**
   * The service account's name.
   * @example Warehouse sync
   */
  username?: string;

  /**
   * What the token permits: permissions, separated by spaces; absent when there are none.
   * @example reports:download
   */
  scope?: string;

  /**
   * The same as `client_id`.
   * @example sa_01h455vb4pex5vsknk084sn02q
   */
  sub?: string;

  /** Whom an access token was made for; absent for the token of a key. */
  @ApiPropertyOptional({
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    example: 'https://reports.example.com',
  })
  aud?: string | string[];

  /**
   * This server.
   * @example https://claviger.example.com
   */
  iss?: string;

  /** When the token expires, in seconds since 1970; absent when it does not. */
  @ApiPropertyOptional({ type: 'integer', example: 1801483200 })
  exp?: number;

  /** When the token was made, in seconds since 1970. */
  @ApiPropertyOptional({ type: 'integer', example: 1769947200 })
  iat?: number;

  /**
   * The key's id; an access token has one of its own.
   * @example key_01h455vb4pex5vsknk084sn02q
   */
  jti?: string;

  /** How the token is to be sent (RFC 6750). */
  @ApiPropertyOptional({ enum: ['Bearer'] })
  token_type?: 'Bearer';

  /**
   * The organization that the service account belongs to.
   * @example org_01h455vb4pex5vsknk084sn02q
   */
  organization_id?: string;
}

/** What a good token is good for. An access token has a time and an id of its own, and says whom it was made for. */
export function toIntrospection(credential: KeyCredential, issuer: string): Introspection {
  const { accountId, accountName, permissions, expiresAt, accessToken } = credential;
  return {
    active: true,
    client_id: accountId,
    username: accountName,
    ...(permissions.size === 0 ? {} : { scope: [...permissions].join(' ') }),
    sub: accountId,
    ...(accessToken === null ? {} : { aud: toAudience(accessToken.audience) }),
    iss: issuer,
    ...(expiresAt === null ? {} : { exp: toSeconds(expiresAt) }),
    iat: toSeconds(accessToken?.issuedAt ?? credential.createdAt),
    jti: accessToken?.jti ?? credential.keyId,
    token_type: 'Bearer',
    organization_id: credential.organizationId,
  };
}

/** A single one stands for itself, as in the token (RFC 7519 section 4.1.3). */
function toAudience(audience: readonly string[]): string | string[] {
  const [first, ...others] = audience;
  return first !== undefined && others.length === 0 ? first : [...audience];
}

function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
