import { redactTokens } from '../crypto/token.js';
import { INVISIBLE_CHARACTER } from './text-patterns.js';

/** One fault of the input. `pointer` is RFC 6901 for bodies (`/expiresAt`), `/name` for a query parameter. */
export interface FieldError {
  pointer: string;
  /** A stable machine word: `required`, `wrong_type`, `too_long`, ... */
  code: string;
  /** Says what would have been right. */
  detail: string;
}

/** What a problem may carry besides its status, code and detail. */
export interface ProblemExtra {
  /** The permission that was missing (403). */
  required?: string;
  errors?: FieldError[];
  /** A problem type registered elsewhere, in the place of this product's own. */
  type?: { uri: string; title: string };
  /** Names of the limits that were exceeded (429). */
  violatedPolicies?: string[];
  /** Response headers, `WWW-Authenticate` and `Retry-After` for example. */
  headers?: Record<string, string>;
}

/** The body of `application/problem+json` (RFC 9457) with this product's members. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  required?: string;
  errors?: FieldError[];
  'violated-policies'?: string[];
}

/** What `toProblemBody` needs of a request; a Fastify request fits, also one that never reached the first hook. */
export interface ProblemRequest {
  context?: { id: string };
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

const MAX_POINTER_LENGTH = 512;
const INVISIBLE = new RegExp(INVISIBLE_CHARACTER, 'g');
const MAX_POINTERS_NAMED = 5;

/**
 * An answer that refuses. Throw it anywhere; the one filter writes it. `detail` goes to the client: no secret, no SQL,
 * no file path in it.
 */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra?: ProblemExtra,
  ) {
    super(detail);
    this.name = 'Problem';
  }
}

/**
 * The problem as RFC 9457 members. The type is a URN per code, so title and type always belong together; the instance is
 * the request, not its path, so that answers about other people's things and about nothing are the same bytes.
 */
export function toProblemBody(problem: Problem, request: ProblemRequest): ProblemBody {
  const { required, errors, type, violatedPolicies } = problem.extra ?? {};
  const requestId = request.context?.id ?? '';
  return {
    type: type?.uri ?? `urn:claviger:problem:${problem.code}`,
    title: type?.title ?? titleOf(problem.code),
    status: problem.status,
    detail: problem.detail,
    instance: `urn:claviger:request:${requestId}`,
    code: problem.code,
    requestId,
    ...(required === undefined ? {} : { required }),
    ...(errors === undefined ? {} : { errors }),
    ...(violatedPolicies === undefined ? {} : { 'violated-policies': violatedPolicies }),
  };
}

/** 400 `validation_failed`, naming every pointer at fault. */
export function invalid(...errors: FieldError[]): Problem {
  const safe = errors.map(withoutTokens);
  // Read by people: what a caller has called a field does not move the cursor of a terminal.
  const named = safe
    .slice(0, MAX_POINTERS_NAMED)
    .map(({ pointer }) => pointer.replace(INVISIBLE, '\ufffd') || '(body)');
  const more = safe.length > named.length ? ', ...' : '';
  const detail = `The request is not valid: ${named.join(', ')}${more}.`;
  return new Problem(400, 'validation_failed', detail, { errors: safe });
}

/** 400 with a code of its own, for faults that no field can be blamed for. */
export function badRequest(code: string, detail: string): Problem {
  return new Problem(400, code, detail);
}

/** 401. RFC 6750 section 3.1: a request without a credential gets a challenge without an `error`. */
export function unauthorized(reason: 'missing' | 'invalid'): Problem {
  if (reason === 'missing') {
    return new Problem(401, 'unauthorized', 'This operation needs a bearer token.', {
      headers: { 'WWW-Authenticate': 'Bearer realm="claviger"' },
    });
  }
  return new Problem(401, 'invalid_token', 'The token is not valid.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="claviger", error="invalid_token"' },
  });
}

/** 403 `insufficient_scope`: names the missing permission in body and challenge (RFC 6750 section 3.1). */
export function forbidden(required: string, detail?: string): Problem {
  return refused(
    'insufficient_scope',
    detail ?? `This operation needs the permission ${required}.`,
    required,
  );
}

/**
 * 403 for another reason: `ip_not_allowed`, `grant_exceeds_permissions`, ... RFC 6750 has no error of its own for these;
 * `insufficient_scope` is the one that goes with 403. `required`: permissions that would have been enough, separated by spaces.
 */
export function refused(code: string, detail: string, required?: string): Problem {
  const scope = required === undefined ? '' : `, scope="${required}"`;
  return new Problem(403, code, detail, {
    ...(required === undefined ? {} : { required }),
    headers: {
      'WWW-Authenticate': `Bearer realm="claviger", error="insufficient_scope"${scope}`,
    },
  });
}

/** 404. The same bytes whether the thing never existed or belongs to somebody else. */
export function notFound(what: string): Problem {
  return new Problem(404, 'not_found', `There is no such ${what}.`);
}

/** 409: the state of the resource does not allow it now. */
export function conflict(code: string, detail: string): Problem {
  return new Problem(409, code, detail);
}

/** 503 with `Retry-After` in whole seconds. */
export function unavailable(code: string, detail?: string, retryAfterSeconds = 1): Problem {
  return new Problem(503, code, detail ?? 'The server cannot answer now; try again.', {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterSeconds))) },
  });
}

/** `name_taken` → `Name taken`. */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A pointer holds names that the client chose, and it may have pasted a token as one. */
function withoutTokens({ pointer, code, detail }: FieldError): FieldError {
  return { pointer: redactTokens(pointer).slice(0, MAX_POINTER_LENGTH), code, detail };
}
