import type { Answer } from './harness.js';

/** Headers that differ from one request to the next, whatever was asked. */
const CHANGING = /^(?:date|(?:x-)?ratelimit.*)$/;

/**
 * An answer as somebody sees it who must not learn whether a thing exists: status, headers and body
 * without the request's own id, so that two of them can be compared byte for byte.
 */
export function asSeen({ status, headers, body }: Answer): string {
  const requestId = headers.get('x-request-id');
  if (requestId === null) throw new Error('an answer without a request id');
  const seen = [...headers].filter(([name]) => !CHANGING.test(name));
  return JSON.stringify([status, seen, body]).replaceAll(requestId, '(request)');
}
