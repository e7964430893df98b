import type { OAuthError, Problem } from './generated/types.gen.js';

/**
 * A refusal of the server. `code` is the stable word to decide by; `problem` is the whole answer (RFC 9457), or undefined
 * where something between here and the server answered.
 */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly problem: Problem | undefined,
    /** The headers of the answer: `Retry-After`, `WWW-Authenticate`, `X-Request-Id`. */
    readonly headers: Headers,
  ) {
    super(detail);
  }

  /** The id under which the request stands on the audit trail. */
  get requestId(): string | undefined {
    return this.problem?.requestId ?? this.headers.get('X-Request-Id') ?? undefined;
  }
}

/** The error for an answer that is no success: `body` is its parsed JSON, or its text. */
export function toProblemError(body: unknown, response: Response): ProblemError {
  const { status, headers } = response;
  if (isProblem(body)) return new ProblemError(status, body.code, body.detail, body, headers);
  if (isOAuthError(body)) {
    return new ProblemError(status, body.error, body.error_description, undefined, headers);
  }
  return new ProblemError(status, 'unknown', `The answer was ${status}.`, undefined, headers);
}

function isProblem(body: unknown): body is Problem {
  return isRecord(body) && typeof body.code === 'string' && typeof body.detail === 'string';
}

function isOAuthError(body: unknown): body is OAuthError {
  return isRecord(body) && typeof body.error === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
