import type { AuditTarget } from '../audit/event.js';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import { requireHeld } from '../auth/grant.js';
import { effectivePermissions } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import { conflict, type Problem } from '../http/problem.js';
import {
  type KeyInput,
  newKeyFields,
  NO_KEY,
  toKeySnapshot,
  KEY_SNAPSHOT_FIELDS,
} from './key-fields.js';
import type { KeyRow } from './keys.dto.js';
import { type KeyBounds, readKeyBounds } from './keys.sql.js';
import type { MintedKey } from './mint-key.js';

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
  const fields = newKeyFields({ given, rolePermissions, bounds, pointer });
  requireHeld(actor, effectivePermissions(rolePermissions, fields.permissions));
  requireRoom(bounds);
  const row = await tx.key.create({
    data: {
      organizationId,
      id: minted.id,
      serviceAccountId: account.id,
      ...minted.stored,
      ...fields,
      allPermissions: fields.permissions === null,
      permissions: fields.permissions ?? [],
      ...creatorOf(actor),
      createdAt: bounds.now,
      updatedAt: bounds.now,
    },
    omit: { tokenHash: true },
  });
  record(tx, actor, 'key.created', {
    organizationId,
    targets: keyTargets(row, account),
    changes: changesBetween(NO_KEY, toKeySnapshot(fields), KEY_SNAPSHOT_FIELDS),
  });
  return { ...row, status: 'active' };
}

/** Refuses one more usable key where the organization allows no more. Errors: 409 `key_limit`. */
export function requireRoom({ usableKeys, maxKeys }: KeyBounds): void {
  if (usableKeys >= maxKeys) throw keyLimit(maxKeys);
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

function keyLimit(maxKeys: number): Problem {
  const detail = `A service account of this organization may have ${maxKeys} usable keys. Revoke one first.`;
  return conflict('key_limit', detail);
}
