import { reauthenticationRequired } from '../auth/proof.js';
import { problemContent } from '../http/problem-content.js';
import { Problem, type ProblemExtra } from '../http/problem.js';
import { QUOTA_EXCEEDED, WINDOW_SECONDS } from '../limits/rate-limit.js';
import { id } from './bounds.js';

type Json = Record<string, unknown>;

/** Schemas of errors: RFC 9457 with the members of this server. */
export const PROBLEM_SCHEMAS: Json = {
  FieldError: {
    type: 'object',
    description: 'One fault of the input.',
    required: ['pointer', 'code', 'detail'],
    properties: {
      pointer: {
        type: 'string',
        description:
          'Where: a JSON pointer (RFC 6901) into the body, or / and the name of a query parameter.',
        example: '/expiresAt',
      },
      code: { type: 'string', description: 'A stable word.', example: 'invalid_format' },
      detail: {
        type: 'string',
        description: 'What would have been right.',
        example: 'Must be an RFC 3339 date-time with an offset.',
      },
    },
  },
  Problem: {
    type: 'object',
    description: 'Why the request was refused (RFC 9457).',
    required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
    properties: {
      type: { type: 'string', format: 'uri', example: 'urn:claviger:problem:not_found' },
      title: { type: 'string', example: 'Not found' },
      status: { type: 'integer', minimum: 400, maximum: 599, example: 404 },
      detail: { type: 'string', example: 'There is no such key.' },
      instance: {
        type: 'string',
        description: 'The request, as a URN.',
        example: 'urn:claviger:request:req_01k9x3m2v8f0jsn5w7d4t6qxyz',
      },
      code: { type: 'string', description: 'A stable word for programs.', example: 'not_found' },
      requestId: {
        type: 'string',
        description: 'The X-Request-Id of this answer, the same as on the audit trail.',
        example: 'req_01k9x3m2v8f0jsn5w7d4t6qabc',
      },
      required: {
        type: 'string',
        description: 'The permission that was missing (403).',
        example: 'keys:manage',
      },
      errors: { type: 'array', items: { $ref: '#/components/schemas/FieldError' } },
      'violated-policies': {
        type: 'array',
        description: 'The names of the limits that were exceeded (429).',
        items: { type: 'string' },
        example: ['default'],
      },
    },
  },
};

const integer = (minimum: number, maximum: number) => ({
  type: 'integer',
  format: 'int32',
  minimum,
  maximum,
});

/** The schema of `WWW-Authenticate`. */
export const CHALLENGES = { type: 'string', maxLength: 8_192, pattern: '^(?:Bearer|Basic) ' };

/** Headers that many answers have. */
export const HEADERS: Json = {
  RequestId: {
    description: 'The id of the request: in errors and on the audit trail too.',
    schema: { type: 'string', ...id('req') },
    example: 'req_01k9x3m2v8f0jsn5w7d4t6qabc',
  },
  RetryAfter: {
    description: 'Seconds to wait before trying again.',
    schema: integer(1, 3_600),
    example: 1,
  },
  WWWAuthenticate: {
    description: 'How to authenticate (RFC 6750).',
    schema: CHALLENGES,
    example: 'Bearer realm="claviger", error="invalid_token"',
  },
  RateLimitPolicy: {
    description:
      'How often (`q`) in how many seconds (`w`) this credential may use one operation (draft-ietf-httpapi-ratelimit-headers-11). `pk` says which: base64 of its method and path.',
    schema: {
      type: 'string',
      maxLength: 512,
      pattern: '^"default";q=[0-9]+;w=60;pk=:[0-9A-Za-z+/=]+:$',
    },
    example: '"default";q=500;w=60;pk=:R0VUIC92MS9tZQ==:',
  },
  RateLimit: {
    description:
      'How often it still may (`r`) until the count begins anew, in so many seconds (`t`), and which operation (`pk`) that is.',
    schema: {
      type: 'string',
      maxLength: 512,
      pattern: '^"default";r=[0-9]+;t=[0-9]+;pk=:[0-9A-Za-z+/=]+:$',
    },
    example: '"default";r=499;t=60;pk=:R0VUIC92MS9tZQ==:',
  },
  XRateLimitLimit: {
    description: 'How often a minute this credential may use this operation.',
    schema: integer(1, 1_000_000),
    example: 500,
  },
  XRateLimitRemaining: {
    description: 'How often it still may.',
    schema: integer(0, 1_000_000),
    example: 499,
  },
  XRateLimitReset: {
    description: 'Seconds until the count begins anew.',
    schema: integer(1, WINDOW_SECONDS),
    example: 60,
  },
  Deprecation: {
    description:
      'Only to a key that has been replaced: since when (RFC 9745), in Unix seconds. `Link` names the key.',
    schema: { type: 'string', maxLength: 16, pattern: '^@[0-9]+$' },
    example: '@1795552538',
  },
  Sunset: {
    description:
      'Only to a key that has been replaced, or that has less than 7 days left: when it ends (RFC 8594).',
    schema: {
      type: 'string',
      maxLength: 29,
      pattern: '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$',
    },
    example: 'Wed, 25 Nov 2026 20:35:38 GMT',
  },
  ETag: {
    description:
      'The entity tag of the resource (RFC 9110), for `If-Match` and `If-None-Match`. It begins with the version; when the resource was last used, and how many others refer to it, does not change it.',
    schema: { type: 'string', maxLength: 32, pattern: '^"[0-9]+-[A-Za-z0-9_-]{11}"$' },
    example: '"3-Hx0zTzCkAbc"',
  },
  IdempotencyReplayed: {
    description: 'Only on the answer to a retry: nothing was done now, this is the first answer.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
  },
  Location: {
    description: 'The path of what was made.',
    schema: { type: 'string', format: 'uri-reference', maxLength: 512 },
    example: '/v1/organizations/org_01k9x3m2v8f0jsn5w7d4t6qabc',
  },
};

/** The headers that every answer to a good credential has, by their names, as references. */
export function limitHeaders(): Json {
  return {
    'RateLimit-Policy': headerRef('RateLimitPolicy'),
    RateLimit: headerRef('RateLimit'),
    'X-RateLimit-Limit': headerRef('XRateLimitLimit'),
    'X-RateLimit-Remaining': headerRef('XRateLimitRemaining'),
    'X-RateLimit-Reset': headerRef('XRateLimitReset'),
    Deprecation: headerRef('Deprecation'),
    Sunset: headerRef('Sunset'),
  };
}

interface SharedResponse {
  name: string;
  status: number;
  description: string;
  code: string;
  detail: string;
  extra?: ProblemExtra;
  headers?: string[];
}

/** In the place of `Unauthorized` where something is dangerous. */
const STALE = 'UnauthorizedOrStale';
const STALE_PROBLEM = reauthenticationRequired();

const SHARED: SharedResponse[] = [
  {
    name: 'BadRequest',
    status: 400,
    description: 'The request is malformed, or a field is not valid: `errors` names each.',
    code: 'validation_failed',
    detail: 'The request is not valid: /name.',
    extra: { errors: [{ pointer: '/name', code: 'required', detail: 'Must be given.' }] },
  },
  {
    name: 'Unauthorized',
    status: 401,
    description: 'There is no credential, or it is not valid (any more).',
    code: 'invalid_token',
    detail: 'The token is not valid.',
    headers: ['WWWAuthenticate'],
  },
  {
    name: STALE,
    status: 401,
    description:
      'There is no credential, it is not valid (any more), or it is a session whose person must prove their password again: `reauthentication_required`, with the challenge of RFC 9470.',
    code: STALE_PROBLEM.code,
    detail: STALE_PROBLEM.detail,
    headers: ['WWWAuthenticate'],
  },
  {
    name: 'Forbidden',
    status: 403,
    description:
      'The credential is good, but may not do this: `required` names a missing permission. Or a page of another server sent the session cookie: `cross_site_request`.',
    code: 'insufficient_scope',
    detail: 'This operation needs the permission keys:manage.',
    extra: { required: 'keys:manage' },
    headers: ['WWWAuthenticate'],
  },
  {
    name: 'NotFound',
    status: 404,
    description: 'There is no such thing, or it belongs to another organization.',
    code: 'not_found',
    detail: 'There is no such key.',
  },
  {
    name: 'NotAcceptable',
    status: 406,
    description: 'The header `Accept` names nothing that this can be written as.',
    code: 'not_acceptable',
    detail: 'Exports are text/csv or application/x-ndjson.',
  },
  {
    name: 'Conflict',
    status: 409,
    description:
      'The state of the resource does not allow it. Or the request is a retry of one that is still being worked on: `idempotency_in_flight`, with `Retry-After`.',
    code: 'name_taken',
    detail: 'There is one with this name already.',
    headers: ['RetryAfter'],
  },
  {
    name: 'PreconditionFailed',
    status: 412,
    description: 'The resource has changed since: `If-Match` names another version.',
    code: 'precondition_failed',
    detail: 'It has changed since you read it: read it again and decide anew.',
  },
  {
    name: 'PayloadTooLarge',
    status: 413,
    description: 'The body is too large: JSON may have 64 KiB, a file 64 MiB.',
    code: 'payload_too_large',
    detail: 'The body may have at most 64 KiB.',
  },
  {
    name: 'UnsupportedMediaType',
    status: 415,
    description: 'The body is of another content type.',
    code: 'unsupported_media_type',
    detail: 'The body must be application/json in UTF-8.',
  },
  {
    name: 'UnprocessableContent',
    status: 422,
    description: 'The `Idempotency-Key` was used before, with another request.',
    code: 'idempotency_key_reused',
    detail: 'This Idempotency-Key was used for another request: take a new one for a new request.',
  },
  {
    name: 'TooManyRequests',
    status: 429,
    description:
      'The credential has used this operation too often, too many bad credentials came from the address, or too many passwords were tried for one e-mail from there: wait as long as `Retry-After` says.',
    code: 'rate_limited',
    detail: 'This credential may use this operation 500 times a minute.',
    extra: { type: QUOTA_EXCEEDED, violatedPolicies: ['default'] },
    headers: ['RetryAfter'],
  },
  {
    name: 'HeadersTooLarge',
    status: 431,
    description: 'The headers have more than 16 KiB in all, the path and its query included.',
    code: 'headers_too_large',
    detail: 'The headers may have at most 16 KiB in all.',
  },
  {
    name: 'ServiceUnavailable',
    status: 503,
    description:
      'The server cannot answer now. Changes may be retried with the same `Idempotency-Key`.',
    code: 'database_unavailable',
    detail: 'The server cannot answer now; try again.',
    headers: ['RetryAfter'],
  },
];

/** The shared responses as components, each with an example. */
export function responseComponents(): Json {
  return Object.fromEntries(SHARED.map((response) => [response.name, toResponse(response)]));
}

/** The reference to the shared response of a status. */
export function responseRef(status: number): { $ref: string } {
  const name = SHARED.find((response) => response.status === status)?.name;
  if (name === undefined) throw new RangeError(`no shared response for ${status}`);
  return { $ref: `#/components/responses/${name}` };
}

/** The reference to the 401 of what is dangerous. */
export const STALE_REF = { $ref: `#/components/responses/${STALE}` };

/** The reference to a shared header. */
export function headerRef(name: string): { $ref: string } {
  return { $ref: `#/components/headers/${name}` };
}

function toResponse({ status, description, code, detail, extra, headers }: SharedResponse): Json {
  const content = problemContent(new Problem(status, code, detail, extra));
  const named = { WWWAuthenticate: 'WWW-Authenticate', RetryAfter: 'Retry-After' };
  const shown = (headers ?? []).map((name) => [named[name as keyof typeof named], headerRef(name)]);
  return {
    description,
    headers: {
      'X-Request-Id': headerRef('RequestId'),
      // Nobody is known yet whose requests could be counted.
      ...(status === 401 || status === 431 ? {} : limitHeaders()),
      ...Object.fromEntries(shown),
    },
    content,
  };
}
