import type { AuditTarget } from '../audit/event.js';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { effectivePermissions } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import { conflict } from '../http/problem.js';
import { registeredAmong } from '../permissions/registered.js';
import {
  type KeyInput,
  newKeyFields,
  NO_KEY,
  toKeySnapshot,
  KEY_SNAPSHOT_FIELDS,
} from './key-fields.js';
import type { KeyRow } from './keys.dto.js';
import { type DecidedKey, type KeyBounds, readKeyBounds, storeKey } from './keys.sql.js';
import type { MintedKey } from './mint-key.js';
import { thumbprintOf } from './public-jwk.js';

/** A key to be made. */
export interface NewKey {
  organizationId: string;
  /** Locked, or made in this very transaction. */
  account: { id: string; name: string };
  /** What the account's role permits; held still by the transaction (`findRole`). */
  rolePermissions: readonly string[];
  minted: MintedKey;
  given: KeyInput['given'];
  /** Where in the body `given` stands: `''` or `/key`. */
  pointer?: string;
}

/**
 * Makes a key and records `key.created`. Errors: 400 as `newKeyFields`, 403
 * `grant_exceeds_permissions` when the key could do what the actor may not, 409 `key_limit`.
 */
export async function insertKey(tx: Tx, actor: Actor, newKey: NewKey): Promise<KeyRow> {
  const { organizationId, account, rolePermissions, minted, given, pointer = '' } = newKey;
  const bounds = await readKeyBounds(tx, organizationId, account.id);
  const registered = await registeredAmong(tx, organizationId, given.permissions ?? []);
  const fields = newKeyFields({ given, rolePermissions, registered, bounds, pointer });
  requireHeld(actor, effectivePermissions(rolePermissions, fields.permissions));
  requireRoom(bounds);
  return writeKey(tx, actor, { organizationId, account, minted, fields, now: bounds.now });
}

/** Writes a key, and records `key.created`. */
export async function writeKey(tx: Tx, actor: Actor, key: DecidedKey): Promise<KeyRow> {
  const { organizationId, account, minted, fields } = key;
  const row = await storeKey(tx, actor, key);
  record(tx, actor, 'key.created', {
    organizationId,
    targets: keyTargets(row, account),
    changes: changesBetween(NO_KEY, toKeySnapshot(fields), KEY_SNAPSHOT_FIELDS),
    ...('publicKey' in minted.stored
      ? { details: { publicKeyThumbprint: thumbprintOf(minted.stored.publicKey) } }
      : {}),
  });
  return row;
}

/**
 * Refuses one more usable key where the organization allows no more; those with a successor do not count
 * (docs/decisions/0012). Errors: 409 `key_limit`.
 */
export function requireRoom({ activeKeys, maxKeys }: KeyBounds): void {
  if (activeKeys < maxKeys) return;
  const detail = `A service account of this organization may have ${maxKeys} usable keys. Revoke one first.`;
  throw conflict('key_limit', detail);
}

/** Refuses one more usable key that has a successor, where there are many already. Errors: 409 `key_limit`. */
export function requireRoomToOverlap({ activeKeys, expiringKeys, maxKeys }: KeyBounds): void {
  // An account that has more keys than it might have now (the limit was lowered) can still rotate each.
  const most = Math.max(maxKeys, activeKeys);
  if (expiringKeys < most) return;
  const detail = `This service account may have ${most} keys that are replaced and still work. Revoke one first, or rotate with overlapSeconds 0.`;
  throw conflict('key_limit', detail);
}

/** What an event about a key was done to: the key, and the account that it belongs to. */
export function keyTargets(
  key: { id: string; name: string },
  account: { id: string; name: string },
): AuditTarget[] {
  return [
    { type: 'key', id: key.id, name: key.name },
    { type: 'serviceAccount', id: account.id, name: account.name },
  ];
}
