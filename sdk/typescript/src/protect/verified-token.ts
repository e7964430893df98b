/** What a good token stands for: which service account calls, and what it may do. */
export interface VerifiedToken {
  /** The id of the service account (`sa_…`). */
  clientId: string;
  /** The account's name when the token was checked, for logs and people. */
  username: string;
  /** The organization that the account belongs to (`org_…`). */
  organizationId: string;
  /** Everything the token permits, built-in permissions and registered ones. */
  scope: ReadonlySet<string>;
  /** The id of the key, or of the JWT: safe to log. */
  tokenId: string;
  /** When the token ends; null for a key without an end. */
  expiresAt: Date | null;
}

/** Tells what a token stands for. */
export interface TokenVerifier {
  /**
   * @param token as it was presented, without the scheme
   * @param clientIp where it was presented from; keys that are bound to networks are good only with it
   * @throws InvalidTokenError, VerifierUnavailableError, VerifierMisconfiguredError; none holds the token
   */
  verify(token: string, clientIp?: string): Promise<VerifiedToken>;
}

/** The token is not good (any more), or not for this API. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
}

/** Nobody can tell now whether the token is good, so nobody is let in. */
export class VerifierUnavailableError extends Error {
  override readonly name = 'VerifierUnavailableError';
}

/**
 * The server refuses the verifier itself: its own token is not good (any more), or lacks `tokens:introspect`. Nobody is let in, and
 * no waiting helps: somebody must set it right.
 */
export class VerifierMisconfiguredError extends Error {
  override readonly name = 'VerifierMisconfiguredError';
}
