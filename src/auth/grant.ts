import { refused } from '../http/problem.js';
import type { Actor } from './actor.js';
import { missingPermissions } from './permissions.js';

/**
 * Grant only what you hold: whatever yields a token or widens access calls this with the effective
 * permissions that would result. Errors: 403 `grant_exceeds_permissions`, naming in `required` what
 * the actor lacks. The server itself may grant anything.
 */
export function requireHeld(actor: Actor, wanted: readonly string[]): void {
  if (actor.type === 'system') return;
  const missing = missingPermissions(wanted, actor.permissions);
  if (missing.length === 0) return;
  throw refused(
    'grant_exceeds_permissions',
    'You can only grant permissions that you hold yourself.',
    missing.join(' '),
  );
}
