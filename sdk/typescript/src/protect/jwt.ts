import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { metadataOf } from './metadata.js';
import {
  InvalidTokenError,
  type TokenVerifier,
  type VerifiedToken,
  VerifierUnavailableError,
} from './verified-token.js';

/** Which JWTs are good. */
export interface JwtOptions {
  /** The Claviger server's origin, like `https://claviger.example.com`. */
  issuer: string;
  /** This API's own URL: what its clients name as `resource` when they ask for a token. */
  audience: string;
  /** How long the server may take when its keys are read, in milliseconds; 3,000 unless said otherwise. */
  timeoutMs?: number;
}

/** The claims of an access token (RFC 9068 section 2.2). */
interface AccessTokenClaims extends JWTPayload {
  client_id: string;
  username: string;
  organization_id: string;
  /** Absent when the token permits nothing. */
  scope?: string;
}

const REQUIRED = ['aud', 'exp', 'jti', 'client_id', 'username', 'organization_id'];

/**
 * Checks access tokens of `POST /oauth/token` without asking anybody: by their signature, issuer, audience and end. The server's
 * public keys are read now and then, and when a token names one that is not known. A revocation is not seen: such a token is
 * good until it ends, five minutes at most unless the server says otherwise. Keys themselves are refused.
 */
export function jwtVerifier({ issuer, audience, timeoutMs = 3_000 }: JwtOptions): TokenVerifier {
  // Without an audience every token of the issuer would do, whomever it was made for.
  if (!issuer || !audience) throw new TypeError('a JWT verifier needs issuer and audience');
  const metadata = metadataOf(issuer, timeoutMs);
  let keys: JWTVerifyGetKey | undefined;
  return {
    async verify(token) {
      const server = await metadata();
      keys ??= createRemoteJWKSet(new URL(server.jwks_uri), { timeoutDuration: timeoutMs });
      try {
        const { payload } = await jwtVerify<AccessTokenClaims>(token, keys, {
          issuer: server.issuer,
          audience,
          typ: 'at+jwt',
          algorithms: ['ES256'],
          requiredClaims: REQUIRED,
        });
        return toVerifiedToken(payload);
      } catch (error) {
        throw isAboutToken(error)
          ? new InvalidTokenError('the token is not good for this API')
          : new VerifierUnavailableError('the keys cannot be read', { cause: error });
      }
    },
  };
}

/** Whether it is the token that is wrong; else its keys could not be read. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey
  );
}

function toVerifiedToken(claims: AccessTokenClaims): VerifiedToken {
  return {
    clientId: claims.client_id,
    username: claims.username,
    organizationId: claims.organization_id,
    scope: new Set(claims.scope?.split(' ').filter((permission) => permission !== '')),
    tokenId: claims.jti!,
    expiresAt: new Date(claims.exp! * 1_000),
  };
}
