import { CHALLENGES, headerRef, limitHeaders } from './shared.js';

type Json = Record<string, unknown>;

/** What is refused under `/oauth` looks as its specifications want it. */
export const OAUTH_SCHEMAS: Json = {
  OAuthError: {
    type: 'object',
    description:
      'Why the request was refused (RFC 6749 section 5.2), with the `code` that a problem of this server would have.',
    required: ['error', 'error_description', 'code', 'requestId'],
    properties: {
      error: { type: 'string', description: 'A word of OAuth.', example: 'invalid_request' },
      error_description: { type: 'string', example: 'token: Must be given.' },
      code: {
        type: 'string',
        description: 'A stable word for programs, more exact than `error`.',
        example: 'validation_failed',
      },
      requestId: {
        type: 'string',
        description: 'The X-Request-Id of this answer, the same as on the audit trail.',
        example: 'req_01k9x3m2v8f0jsn5w7d4t6qabc',
      },
      required: {
        type: 'string',
        description: 'The permission that was missing (403).',
        example: 'tokens:introspect',
      },
    },
  },
};

interface OAuthResponse {
  name: string;
  status: number;
  description: string;
  error: string;
  code: string;
  detail: string;
  extra?: Json;
  headers?: Json;
}

const CHALLENGE = {
  'WWW-Authenticate': {
    description: 'How to authenticate: the way that was tried, or all that there are.',
    schema: CHALLENGES,
    example: 'Basic realm="claviger", charset="UTF-8"',
  },
};
const RETRY = { 'Retry-After': headerRef('RetryAfter') };

const SHARED: OAuthResponse[] = [
  {
    name: 'OAuthBadRequest',
    status: 400,
    description:
      'A parameter is missing, is there twice or is not valid, or the client authenticates in more than one way.',
    error: 'invalid_request',
    code: 'validation_failed',
    detail: 'token: Must be given.',
  },
  {
    name: 'OAuthUnauthorized',
    status: 401,
    description: 'The client has no credentials, or they are not valid (any more).',
    error: 'invalid_client',
    code: 'invalid_token',
    detail: 'The credentials of the client are not valid.',
    headers: CHALLENGE,
  },
  {
    name: 'OAuthForbidden',
    status: 403,
    description: 'The client is known, but may not do this: `required` names a missing permission.',
    error: 'insufficient_scope',
    code: 'insufficient_scope',
    detail: 'This operation needs the permission tokens:introspect.',
    extra: { required: 'tokens:introspect' },
  },
  {
    name: 'OAuthPayloadTooLarge',
    status: 413,
    description: 'The form is too large.',
    error: 'invalid_request',
    code: 'payload_too_large',
    detail: 'The body may have at most 64 KiB.',
  },
  {
    name: 'OAuthUnsupportedMediaType',
    status: 415,
    description: 'The body is no form.',
    error: 'invalid_request',
    code: 'unsupported_media_type',
    detail: 'The body must be application/x-www-form-urlencoded in UTF-8.',
  },
  {
    name: 'OAuthTooManyRequests',
    status: 429,
    description:
      'The credential has used this operation too often, or too many bad credentials came from the address: wait as long as `Retry-After` says.',
    error: 'temporarily_unavailable',
    code: 'rate_limited',
    detail: 'This credential may use this operation 500 times a minute.',
    headers: RETRY,
  },
  {
    name: 'OAuthServiceUnavailable',
    status: 503,
    description: 'The server cannot answer now.',
    error: 'temporarily_unavailable',
    code: 'database_unavailable',
    detail: 'The server cannot answer now; try again.',
    headers: RETRY,
  },
];

/** The statuses that every operation under `/oauth` can answer with. */
export const OAUTH_STATUSES = SHARED.map(({ status }) => status);

/** The shared responses under `/oauth` as components, each with an example. */
export function oauthResponseComponents(): Json {
  return Object.fromEntries(SHARED.map((response) => [response.name, toResponse(response)]));
}

/** The reference to the shared response of a status under `/oauth`. */
export function oauthResponseRef(status: number): { $ref: string } {
  const name = SHARED.find((response) => response.status === status)?.name;
  if (name === undefined) throw new RangeError(`no shared response for ${status}`);
  return { $ref: `#/components/responses/${name}` };
}

function toResponse({ status, description, error, code, detail, extra, headers }: OAuthResponse) {
  const example = {
    error,
    error_description: detail,
    code,
    requestId: 'req_01k9x3m2v8f0jsn5w7d4t6qabc',
    ...extra,
  };
  return {
    description,
    headers: {
      'X-Request-Id': headerRef('RequestId'),
      ...(status === 401 ? {} : limitHeaders()),
      ...headers,
    },
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/OAuthError' }, example },
    },
  };
}
