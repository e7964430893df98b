import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '../auth/actor.js';
import { collectEvent, type Tx } from '../database/database.service.js';
import {
  type AuditChanges,
  type AuditDetails,
  type AuditOutcome,
  type AuditTarget,
  cleanText,
  SYSTEM_CHAIN,
  toPendingEvent,
} from './event.js';

/** What a change event says besides who and what. */
export interface ChangeDetails {
  /** The chain; null for the chain `system`. */
  organizationId: string | null;
  /** The first is the one that the `target` filter finds. */
  targets: AuditTarget[];
  /** Never a secret. */
  changes?: AuditChanges | undefined;
  reason?: string;
  /** `success` unless it says otherwise. */
  outcome?: AuditOutcome;
  /** What else is to be known, numbers of rows for example; never a secret. */
  details?: AuditDetails;
}

/**
 * Puts a change on the audit trail, in the change's own transaction: collected now, appended as the
 * last statement before COMMIT. `action` is `thing.happened`, such as `key.revoked`.
 */
export function record(tx: Tx, actor: Actor, action: string, change: ChangeDetails): void {
  const { organizationId, targets, changes, reason, outcome, details } = change;
  const { request } = actor;
  collectEvent(
    tx,
    toPendingEvent(organizationId ?? SYSTEM_CHAIN, {
      action,
      outcome: outcome ?? 'success',
      organizationId,
      actor: { type: actor.type, id: actor.id, name: actor.name },
      key: actor.key,
      targets,
      permission: null,
      method: null,
      route: null,
      path: null,
      status: null,
      reason: reason ?? null,
      ip: request?.ip ?? null,
      userAgent: request?.userAgent == null ? null : cleanText(request.userAgent, 256),
      requestId: request?.id ?? null,
      changes: changes ?? null,
      ...(details === undefined ? {} : { details }),
    }),
  );
}

/** The fields among `fields` that differ, as the trail shows them; undefined when none does. */
export function changesBetween<T extends object>(
  before: T,
  after: T,
  fields: readonly (keyof T & string)[],
): AuditChanges | undefined {
  const changed = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  if (changed.length === 0) return undefined;
  return Object.fromEntries(
    changed.map((field) => [field, { before: before[field], after: after[field] }]),
  );
}
