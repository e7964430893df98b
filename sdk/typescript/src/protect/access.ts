import {
  InvalidTokenError,
  type TokenVerifier,
  type VerifiedToken,
  VerifierMisconfiguredError,
  VerifierUnavailableError,
} from './verified-token.js';

/** What a decision needs to know of a request. */
export interface Presented {
  /** The header `Authorization`. */
  authorization: string | undefined;
  /** Where the request comes from, as the framework tells it: behind a proxy that takes its setting for trusted proxies. */
  ip: string | undefined;
}

/** A refusal in the form of RFC 9457, with the challenge of RFC 6750 section 3 where one belongs. */
export class AccessDeniedError extends Error {
  override readonly name = 'AccessDeniedError';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<{
    type: string;
    title: string;
    status: number;
    code: string;
    detail: string;
  }>;

  constructor(
    /** The HTTP status: 401 or 403; 500 when this API is not set up rightly, 503 when the server does not answer. */
    readonly status: 401 | 403 | 500 | 503,
    code: string,
    detail: string,
    headers: Record<string, string>,
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.headers = {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...headers,
    };
    this.body = { type: 'about:blank', title: TITLES[status], status, code, detail };
  }
}

const TITLES = {
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * The token that a request presents, once it is good and permits what is asked for.
 * @param permission like `reports:download`; none means that any good token will do
 * @throws AccessDeniedError
 */
export async function requireAccess(
  verifier: TokenVerifier,
  { authorization, ip }: Presented,
  permission?: string,
): Promise<VerifiedToken> {
  if (authorization === undefined) {
    throw unauthorized('missing_token', 'Send an API token as a bearer token.', 'Bearer');
  }
  const presented = BEARER.exec(authorization)?.[1];
  if (presented === undefined) throw invalidToken();
  const token = await verifier.verify(presented, ip).catch((error: unknown) => {
    if (error instanceof InvalidTokenError) throw invalidToken();
    if (error instanceof VerifierUnavailableError) throw unavailable(error);
    if (error instanceof VerifierMisconfiguredError) throw misconfigured(error);
    throw error;
  });
  if (permission !== undefined && !token.scope.has(permission)) throw insufficientScope(permission);
  return token;
}

function unauthorized(code: string, detail: string, challenge: string): AccessDeniedError {
  return new AccessDeniedError(401, code, detail, { 'www-authenticate': challenge });
}

function invalidToken(): AccessDeniedError {
  return unauthorized('invalid_token', 'The token is not good.', 'Bearer error="invalid_token"');
}

function insufficientScope(permission: string): AccessDeniedError {
  const detail = `This takes the permission ${permission}.`;
  const challenge = `Bearer error="insufficient_scope", scope="${permission}"`;
  return new AccessDeniedError(403, 'insufficient_scope', detail, {
    'www-authenticate': challenge,
  });
}

function unavailable(cause: Error): AccessDeniedError {
  const detail = 'Tokens cannot be checked now; try again.';
  const headers = { 'retry-after': '2' };
  return new AccessDeniedError(503, 'verifier_unavailable', detail, headers, { cause });
}

const WARN_AGAIN_AFTER_MS = 60_000;
let warnedAt = -Infinity;

/** The caller can do nothing about it, so whoever runs this API must hear of it, whatever framework it is made with. */
function misconfigured(cause: Error): AccessDeniedError {
  if (performance.now() - warnedAt >= WARN_AGAIN_AFTER_MS) {
    warnedAt = performance.now();
    process.emitWarning(cause.message, { type: cause.name });
  }
  const detail = 'Tokens cannot be checked: this API is not set up rightly.';
  return new AccessDeniedError(500, 'verifier_misconfigured', detail, {}, { cause });
}
