import type { PendingEvent } from '../database/database.service.js';
import { redactTokens } from '../crypto/token.js';

/** The chain of everything that belongs to no organization. */
export const SYSTEM_CHAIN = 'system';

/** The action of the one event that every response has. */
export const HTTP_REQUEST = 'http.request';

/** `success`: done; `denied`: refused for who was asking; `error`: everything else. */
export type AuditOutcome = 'success' | 'denied' | 'error';

/** Who an event is about; `unverified` presented a known key id with a wrong secret. */
export interface AuditActor {
  type: 'user' | 'serviceAccount' | 'system' | 'anonymous' | 'unverified';
  id: string | null;
  name: string | null;
}

/** What an event was done to, with its name at that time. */
export interface AuditTarget {
  type:
    | 'organization'
    | 'user'
    | 'role'
    | 'permission'
    | 'serviceAccount'
    | 'key'
    | 'accessToken'
    | 'signingKey'
    | 'session'
    | 'invitation';
  id: string;
  name: string;
}

/** Changed fields; never a secret. */
export type AuditChanges = Record<string, { before: unknown; after: unknown }>;

/** An event before the chain gives it sequence and time; the key order is the order in the body. */
export interface AuditBody {
  action: string;
  outcome: AuditOutcome;
  organizationId: string | null;
  actor: AuditActor;
  key: { id: string; name: string } | null;
  targets: AuditTarget[];
  permission: string | null;
  method: string | null;
  /** The route's template. */
  route: string | null;
  /** The path as it was asked for, without its query. */
  path: string | null;
  status: number | null;
  reason: string | null;
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
  changes: AuditChanges | null;
  /** What else is to be known, numbers of rows for example; never a secret. */
  details?: AuditDetails;
}

/** Plain JSON. */
export type AuditDetails = Record<string, unknown>;

/** Makes foreign text safe to store: well-formed, without NUL, tokens obfuscated, cut. */
export function cleanText(text: string, maxLength: number): string {
  const cut = text.length > maxLength * 2 ? text.slice(0, maxLength * 2) : text;
  return redactTokens(cut.replaceAll('\u0000', '')).slice(0, maxLength).toWellFormed();
}

/** The event in the shape that `audit_append` takes: body text and copies for the filter columns. */
export function toPendingEvent(chain: string, body: AuditBody): PendingEvent {
  return {
    chain,
    body: JSON.stringify(body),
    action: body.action,
    outcome: body.outcome,
    actorId: body.actor.id,
    keyId: body.key?.id ?? null,
    targetId: body.targets[0]?.id ?? null,
    requestId: body.requestId,
  };
}

/** The outcome that a status says. */
export function outcomeOf(status: number): AuditOutcome {
  if (status < 400) return 'success';
  return status === 401 || status === 403 || status === 429 ? 'denied' : 'error';
}
