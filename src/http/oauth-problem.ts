import type { FastifyRequest } from 'fastify';
import { routeOf } from './route.js';
import type { Problem, ProblemRequest } from './problem.js';

/** An error as OAuth shows it (RFC 6749 section 5.2), with what this server adds to help. */
export interface OAuthErrorBody {
  error: string;
  error_description: string;
  /** As in a problem (RFC 9457): what exactly, in a stable word. */
  code: string;
  requestId: string;
  /** The permission that was missing. */
  required?: string;
}

export const OAUTH_CONTENT_TYPE = 'application/json; charset=utf-8';

/** Errors that specifications name; a problem with such a code keeps it. */
const NAMED: ReadonlySet<string> = new Set([
  'invalid_request', // RFC 6749
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'insufficient_scope', // RFC 6750
  'unsupported_token_type', // RFC 7009
  'invalid_target', // RFC 8707
]);

const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'invalid_client',
  403: 'access_denied',
  429: 'temporarily_unavailable',
  500: 'server_error',
  503: 'temporarily_unavailable',
};

/** What RFC 6749 lets a description consist of, turned around. */
const NOT_DESCRIPTION = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

/** Whether a request is for something under `/oauth`, whether there is such a route or not. */
export function isOAuthRequest(request: FastifyRequest): boolean {
  const path = routeOf(request).template ?? request.url;
  return /^(?:https?:\/\/[^/]*)?\/+oauth(?:$|[/;?])/i.test(path);
}

/** The problem as a client of OAuth reads it. */
export function toOAuthBody(problem: Problem, request: ProblemRequest): OAuthErrorBody {
  const { required } = problem.extra ?? {};
  return {
    error: errorOf(problem),
    error_description: descriptionOf(problem),
    code: problem.code,
    requestId: request.context?.id ?? '',
    ...(required === undefined ? {} : { required }),
  };
}

/**
 * The headers of the problem; its challenge names the way in which the caller has tried to authenticate (RFC 6749
 * section 5.2, RFC 6750 section 3), and both ways to one who has not.
 */
export function oauthHeaders(problem: Problem, request: FastifyRequest): Record<string, string> {
  const { 'WWW-Authenticate': bearer, ...headers } = problem.extra?.headers ?? {};
  if (bearer === undefined) return headers;
  const authorization = request.headers.authorization ?? '';
  if (/^bearer\b/i.test(authorization)) return { ...headers, 'WWW-Authenticate': bearer };
  // 403: whoever came by another way is known; there is nothing to be challenged for.
  if (problem.status !== 401) return headers;
  const basic = 'Basic realm="claviger", charset="UTF-8"';
  const challenge = authorization === '' ? `${basic}, Bearer realm="claviger"` : basic;
  return { ...headers, 'WWW-Authenticate': challenge };
}

function errorOf({ status, code }: Problem): string {
  if (status !== 401 && NAMED.has(code)) return code;
  return BY_STATUS[status] ?? 'invalid_request';
}

function descriptionOf({ status, code, detail, extra }: Problem): string {
  return textOf(status, code, detail, extra).replaceAll('"', "'").replace(NOT_DESCRIPTION, '?');
}

function textOf(status: number, code: string, detail: string, extra: Problem['extra']): string {
  if (status === 401) {
    return code === 'unauthorized'
      ? 'The client must authenticate.'
      : 'The credentials of the client are not valid.';
  }
  // Said by who does not know that forms are wanted here.
  if (status === 415 && detail.includes('application/json')) {
    return 'The body must be application/x-www-form-urlencoded in UTF-8.';
  }
  const [fault] = extra?.errors ?? [];
  return fault === undefined ? detail : `${fault.pointer.slice(1)}: ${fault.detail}`;
}
