import type { FastifyReply } from 'fastify';
import type { Check } from './credentials.js';

/** A key without a successor says when it ends once so little is left. */
const SHOWN_BEFORE_END_MS = 7 * 24 * 3_600_000;

/**
 * Tells the caller that its key is on its way out, whatever the answer: `Deprecation` (RFC 9745, the time of the rotation)
 * and a link to the key when it has a successor, `Sunset` (RFC 8594) with its end then and in its last 7 days. Called again
 * with a fresh check it takes back what has become wrong. The process's clock only decides from when on to tell.
 */
export function showEnd(reply: FastifyReply, check: Check | null): void {
  const credential = check?.ok && check.credential.kind === 'key' ? check.credential : null;
  const end = credential?.keyExpiresAt ?? null;
  if (credential === null || end === null) return hideEnd(reply);
  const { replacedBy } = credential;
  if (replacedBy === null && end - Date.now() > SHOWN_BEFORE_END_MS) return hideEnd(reply);
  reply.header('Sunset', new Date(end).toUTCString());
  if (replacedBy === null) return;
  const { organizationId, accountId, keyId } = credential;
  const path = `/v1/organizations/${organizationId}/service-accounts/${accountId}/keys/${keyId}`;
  reply.header('Deprecation', `@${Math.floor(replacedBy.deprecatedAt / 1000)}`);
  reply.header('Link', `<${path}>; rel="deprecation"; type="application/json"`);
}

function hideEnd(reply: FastifyReply): void {
  // Asked first: removing slows down every later access to the headers.
  if (!reply.hasHeader('sunset')) return;
  for (const header of ['sunset', 'deprecation', 'link']) reply.removeHeader(header);
}
