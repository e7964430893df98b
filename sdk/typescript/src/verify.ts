// The entry `verify`: what tells whether a token is good.

export { AccessDeniedError, type Presented, requireAccess } from './protect/access.js';
export { type IntrospectionOptions, introspectionVerifier } from './protect/introspection.js';
export { type JwtOptions, jwtVerifier } from './protect/jwt.js';
export {
  InvalidTokenError,
  type TokenVerifier,
  type VerifiedToken,
  VerifierMisconfiguredError,
  VerifierUnavailableError,
} from './protect/verified-token.js';
