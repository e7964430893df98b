import { Inject, Injectable } from '@nestjs/common';
import { compactVerify, type CryptoKey, decodeProtectedHeader } from 'jose';
import { CONFIG, type Config, MAX_ACCESS_TOKEN_SECONDS } from '../config.js';
import { isId } from '../crypto/id.js';
import { VerificationKeys } from './verification-keys.js';

/** The one algorithm that access tokens are signed in (RFC 7518). */
export const ACCESS_TOKEN_ALGORITHM = 'ES256';
/** What the header of an access token calls it (RFC 9068 section 2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
/** No longer one is made, so that it fits into the header limits of usual servers. */
export const MAX_ACCESS_TOKEN_LENGTH = 8_000;

/** What an access token says (RFC 9068), as this server has signed it. */
export interface AccessTokenClaims {
  /** The signing key. */
  kid: string;
  jti: string;
  keyId: string;
  accountId: string;
  organizationId: string;
  /** Whom it may be shown to. */
  audience: readonly string[];
  /** What it was narrowed to when it was made; nothing when the token does not say it. */
  scope: readonly string[];
  /** Unix milliseconds. */
  issuedAt: number;
  /** Unix milliseconds. */
  expiresAt: number;
}

/** Why a text is no access token of this server. */
export type AccessTokenFault = 'malformed' | 'unknown_signing_key' | 'bad_signature';

const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;
const KID = /^[\w-]{43}$/;

/**
 * Reads access tokens: shape, signature and issuer. Whether the token still holds is for the database to say. Nothing of
 * a token is believed before its signature has been verified, and nothing in its header chooses how: neither the algorithm
 * nor a key.
 */
@Injectable()
export class AccessTokens {
  /** `iss` of every access token. */
  readonly issuer: string;

  constructor(
    private readonly keys: VerificationKeys,
    @Inject(CONFIG) config: Pick<Config, 'publicUrl'>,
  ) {
    this.issuer = config.publicUrl;
  }

  /**
   * What the token says, or why it is none. No SQL, but for a signing key that is not known yet. Errors:
   * `DatabaseUnavailableError`.
   */
  async read(token: string): Promise<AccessTokenClaims | AccessTokenFault> {
    const kid = kidOf(token);
    if (kid === undefined) return 'malformed';
    const key = await this.keys.find(kid);
    if (key === undefined) return 'unknown_signing_key';
    const payload = await payloadOf(token, key);
    if (payload === undefined) return 'bad_signature';
    return claimsOf(payload, kid, this.issuer) ?? 'malformed';
  }

  /** Whether a token is for this server itself. */
  isOwn({ audience }: Pick<AccessTokenClaims, 'audience'>): boolean {
    return audience.includes(this.issuer);
  }
}

/** Whether a text may be an access token: nothing else that this server makes begins so. */
export function looksLikeAccessToken(text: string): boolean {
  return text.length <= MAX_ACCESS_TOKEN_LENGTH && JWT.test(text);
}

/** The signing key that the header names; undefined for any other kind of JWT. */
function kidOf(token: string): string | undefined {
  if (!looksLikeAccessToken(token)) return undefined;
  try {
    const { typ, alg, kid } = decodeProtectedHeader(token);
    const isOurs = typ === ACCESS_TOKEN_TYPE && alg === ACCESS_TOKEN_ALGORITHM;
    return isOurs && typeof kid === 'string' && KID.test(kid) ? kid : undefined;
  } catch {
    return undefined; // no JSON
  }
}

async function payloadOf(token: string, key: CryptoKey): Promise<unknown> {
  try {
    const options = { algorithms: [ACCESS_TOKEN_ALGORITHM] };
    const { payload } = await compactVerify(token, key, options);
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
}

function claimsOf(payload: unknown, kid: string, issuer: string): AccessTokenClaims | undefined {
  const claims = payload as Record<string, unknown>;
  const { iss, sub, client_id, aud, exp, iat, jti, scope, organization_id, key_id } = claims;
  if (iss !== issuer || sub !== client_id) return undefined;
  if (typeof sub !== 'string' || !isId('sa', sub)) return undefined;
  if (typeof organization_id !== 'string' || !isId('org', organization_id)) return undefined;
  if (typeof key_id !== 'string' || !isId('key', key_id)) return undefined;
  if (typeof jti !== 'string') return undefined;
  if (scope !== undefined && typeof scope !== 'string') return undefined;
  if (typeof exp !== 'number' || typeof iat !== 'number') return undefined;
  if (!(exp - iat <= MAX_ACCESS_TOKEN_SECONDS)) return undefined; // no token is made to live longer
  return {
    kid,
    jti,
    keyId: key_id,
    accountId: sub,
    organizationId: organization_id,
    audience: [aud].flat().filter((one) => typeof one === 'string'),
    scope: scope?.split(' ').filter((one) => one !== '') ?? [],
    issuedAt: iat * 1_000,
    expiresAt: exp * 1_000,
  };
}
