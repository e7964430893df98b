import { refused } from '../http/problem.js';
import type { Actor } from './actor.js';
import { missingPermissions } from './permissions.js';

/** So many missing permissions are named: they stand in a header too, and an organization may have hundreds. */
const MAX_NAMED = 20;

/**
 * Grant only what you hold: whatever yields a token or widens access calls this with the effective
 * permissions that would result. Errors: 403 `grant_exceeds_permissions`, naming in `required` what
 * the actor lacks, or the first of it. The server itself may grant anything.
 */
export function requireHeld(actor: Actor, wanted: readonly string[]): void {
  if (actor.type === 'system') return;
  const missing = missingPermissions(wanted, actor.permissions);
  if (missing.length === 0) return;
  const more = missing.length - MAX_NAMED;
  throw refused(
    'grant_exceeds_permissions',
    `You can only grant permissions that you hold yourself.${more > 0 ? ` ${more} more are missing.` : ''}`,
    missing.slice(0, MAX_NAMED).join(' '),
  );
}
