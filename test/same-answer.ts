import type { Answer } from './harness.js';

/**
 * An answer as somebody sees it who must not learn whether a thing exists: status, headers and body,
 * without the request's id and the ids that they sent themselves.
 */
export function asSeen({ status, headers, body }: Answer, ...sentIds: string[]): string {
  const seen = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date');
  const { requestId, ...rest } = body as { requestId: string };
  if (headers.get('x-request-id') !== requestId) throw new Error('two request ids in one answer');
  return sentIds.reduce(
    (text, id) => text.replaceAll(id, '(id)'),
    JSON.stringify([status, seen.filter(([name]) => name !== 'content-length'), rest]),
  );
}
