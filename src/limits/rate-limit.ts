import type { FastifyReply } from 'fastify';
import type { Credential } from '../auth/credentials.js';
import { Problem } from '../http/problem.js';
import type { Usage } from './request-counter.js';

/** The length of every window, from the first request in it. */
export const WINDOW_SECONDS = 60;
/** Where no organization says otherwise: a session on paths outside of organizations. */
export const DEFAULT_REQUESTS_PER_MINUTE = 500;

/** The name of the one policy, in the headers and in `violated-policies`. */
const POLICY = 'default';

const LIMIT_HEADERS = [
  'ratelimit-policy',
  'ratelimit',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];

/** The problem type of draft-ietf-httpapi-ratelimit-headers for a quota that is used up. */
export const QUOTA_EXCEEDED = {
  uri: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Request cannot be satisfied as assigned quota has been exceeded',
};

/** How often a minute this credential may use one operation in the organization that the path names. */
export function limitOf(credential: Credential, organizationId: string | undefined): number {
  if (credential.kind === 'key') return credential.requestsPerMinute;
  const place = credential.memberships.find((one) => one.organizationId === organizationId);
  return place?.requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE;
}

/**
 * Tells the caller where it stands with an operation (`GET /v1/me`): `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11, structured fields of RFC 9651) and the older `X-RateLimit-*`. Times are
 * seconds from now. The partition key `pk` is the operation: without it one that is used up would stand for all.
 */
export function showLimit(
  reply: FastifyReply,
  operation: string,
  limit: number,
  usage: Usage,
): void {
  const remaining = Math.max(0, limit - usage.used);
  const { resetSeconds } = usage;
  const partition = partitionOf(operation);
  reply.headers({
    'RateLimit-Policy': `"${POLICY}";q=${limit};w=${WINDOW_SECONDS};pk=${partition}`,
    RateLimit: `"${POLICY}";r=${remaining};t=${resetSeconds};pk=${partition}`,
    'X-RateLimit-Limit': limit,
    'X-RateLimit-Remaining': remaining,
    'X-RateLimit-Reset': resetSeconds,
  });
}

/** Takes back what {@link showLimit} said, from the answer to a credential that has turned out not to be good any more. */
export function hideLimit(reply: FastifyReply): void {
  for (const header of LIMIT_HEADERS) reply.removeHeader(header);
}

/** Whether the request that was counted last is one too many. */
export function isOver(limit: number, usage: Usage): boolean {
  return usage.used > limit;
}

/** 429 `rate_limited`, with the draft's problem type. */
export function rateLimited(limit: number, { resetSeconds }: Usage): Problem {
  const detail = `This credential may use this operation ${limit} times a minute.`;
  return new Problem(429, 'rate_limited', detail, {
    type: QUOTA_EXCEEDED,
    violatedPolicies: [POLICY],
    headers: { 'Retry-After': String(resetSeconds) },
  });
}

/** As many as there are operations. */
const partitions = new Map<string, string>();

/** The operation as a Byte Sequence (RFC 9651 section 3.3.5). */
function partitionOf(operation: string): string {
  let partition = partitions.get(operation);
  if (partition === undefined) {
    partition = `:${Buffer.from(operation).toString('base64')}:`;
    partitions.set(operation, partition);
  }
  return partition;
}
