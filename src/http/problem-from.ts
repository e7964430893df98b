import { HttpException } from '@nestjs/common';
import { PasswordsBusyError } from '../crypto/password.js';
import { DatabaseUnavailableError, sqlState } from '../database/errors.js';
import { badRequest, conflict, invalid, Problem, unavailable } from './problem.js';
import { JsonRefusedError } from './strict-json.js';

/** What a bare status says. The texts of Nest's and Fastify's own errors may quote the request: they never leave. */
const BY_STATUS: Readonly<Record<number, [code: string, detail: string]>> = {
  400: ['bad_request', 'The request cannot be understood.'],
  401: ['unauthorized', 'This operation needs a bearer token.'],
  403: ['forbidden', 'This is not allowed.'],
  404: ['route_not_found', 'There is nothing at this path.'],
  405: ['method_not_allowed', 'This path has no such method.'],
  408: ['request_timeout', 'The request took too long to arrive.'],
  413: ['payload_too_large', 'The body may have at most 64 KiB.'],
  414: ['uri_too_long', 'The path is too long.'],
  415: ['unsupported_media_type', 'The body must be application/json in UTF-8.'],
  429: ['too_many_requests', 'Too many requests.'],
};

const BY_FASTIFY_CODE: Readonly<Record<string, [code: string, detail: string]>> = {
  FST_ERR_BAD_URL: ['invalid_path', 'The path must be valid percent-encoded UTF-8.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'bad_request',
    'The body has another length than Content-Length says.',
  ],
};

/** SQLSTATEs of values that the database cannot hold: NUL, half a surrogate pair, a number out of range. */
const REFUSED_VALUES = new Set(['22021', '22P05', '22P02', '22003']);
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * The problem that an error is answered with. Whatever it does not know is 500 `internal_error`, without a word of what
 * happened: the caller logs it.
 */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof JsonRefusedError) return jsonProblem(error);
  if (error instanceof DatabaseUnavailableError) return unavailable('database_unavailable');
  if (error instanceof PasswordsBusyError) return unavailable('busy');
  const state = sqlState(error);
  if (state !== undefined && REFUSED_VALUES.has(state)) {
    return badRequest('invalid_value', 'A value cannot be stored as it was given.');
  }
  if (state === UNIQUE_VIOLATION) return conflict('conflict', 'This exists already.');
  if (state === FOREIGN_KEY_VIOLATION) {
    return conflict('conflict', 'Something that this refers to has just changed; try again.');
  }
  if (error instanceof HttpException) return statusProblem(error.getStatus(), error.cause);
  return statusProblem(statusOf(error), error);
}

/** Whether it is the server's own fault, so that somebody must look into the log. */
export function isInternal(problem: Problem): boolean {
  return problem.code === 'internal_error';
}

function jsonProblem({ fault }: JsonRefusedError): Problem {
  if (fault.code === 'invalid_json') return badRequest('invalid_json', fault.detail);
  return invalid(fault);
}

function statusProblem(status: number | undefined, cause: unknown): Problem {
  const fastifyCode = codeOf(cause);
  const known =
    (fastifyCode === undefined ? undefined : BY_FASTIFY_CODE[fastifyCode]) ??
    (status === undefined ? undefined : BY_STATUS[status]);
  if (status === 503) return unavailable('unavailable');
  if (status !== undefined && known !== undefined) return new Problem(status, ...known);
  if (status !== undefined && status >= 400 && status < 500) {
    return badRequest('bad_request', 'The request cannot be understood.');
  }
  return new Problem(500, 'internal_error', 'Something went wrong here. It has been noted.');
}

/** Only errors of Fastify say by their `statusCode` what the client did wrong. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !codeOf(error)?.startsWith('FST_')) return undefined;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
