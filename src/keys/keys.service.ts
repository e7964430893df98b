import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { effectivePermissions } from '../auth/permissions.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { registeredAmong } from '../permissions/registered.js';
import { roleNamed } from '../roles/find-role.js';
import { findAccount, lockAccount } from '../service-accounts/find-account.js';
import { insertKey, keyTargets, requireRoom, requireRoomToOverlap } from './insert-key.js';
import {
  changedKeyFields,
  fieldsOf,
  KEY_SNAPSHOT_FIELDS,
  type KeyFields,
  toKeySnapshot,
  widens,
} from './key-fields.js';
import {
  type AccountKeysQuery,
  type Key,
  type KeyCreateInput,
  type KeysQuery,
  type KeyUpdateInput,
  type KeyWithToken,
  toKey,
  toKeyWithToken,
} from './keys.dto.js';
import {
  type KeyBounds,
  type ListedKey,
  readKey,
  readKeyBounds,
  revokeKeys,
  selectKeys,
} from './keys.sql.js';
import { mintKey } from './mint-key.js';
import { readReplacedAt } from './rotate.sql.js';

/** Keys of service accounts. */
@Injectable()
export class KeysService {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly cursors: CursorCodec,
  ) {}

  /**
   * Makes a key; the answer is the only one that shows its token. Errors: 400 (`in_the_past`,
   * `too_far`, `not_in_role`, `unknown_permission`), 403 `grant_exceeds_permissions`, 404,
   * 409 `key_limit`.
   */
  async create(
    actor: Actor,
    organizationId: string,
    serviceAccountId: string,
    input: KeyCreateInput,
  ): Promise<KeyWithToken> {
    const minted = mintKey(this.instance, input.publicKey);
    const work = async (tx: Tx) => {
      const account = await lockAccount(tx, organizationId, serviceAccountId);
      const role = await roleNamed(tx, organizationId, account.roleKey);
      const rolePermissions = role.permissions;
      const newKey = { organizationId, account, rolePermissions, minted, given: input };
      return toKeyWithToken(await insertKey(tx, actor, newKey), minted.token);
    };
    return this.database.tenant(organizationId, idempotent(actor, work));
  }

  /** A page of one account's keys. Errors: 404. */
  async list(
    organizationId: string,
    serviceAccountId: string,
    query: AccountKeysQuery,
  ): Promise<Page<Key>> {
    return this.page(organizationId, { ...query, serviceAccountId }, (tx) =>
      findAccount(tx, organizationId, serviceAccountId),
    );
  }

  /** A page of all keys of the organization's service accounts. */
  async listAll(organizationId: string, query: KeysQuery): Promise<Page<Key>> {
    return this.page(organizationId, { ...query });
  }

  /** One key. Errors: 404. */
  async get(organizationId: string, serviceAccountId: string, id: string): Promise<Key> {
    return this.database.tenant(organizationId, async (tx) => {
      await findAccount(tx, organizationId, serviceAccountId);
      return toKey(await readKey(tx, organizationId, serviceAccountId, id));
    });
  }

  /**
   * Changes a key; what is left out stays. Errors: 400 as {@link create}, 403
   * `grant_exceeds_permissions` when it widens beyond the actor, 404, 409 `key_revoked` and (when an
   * expired key would be usable again) `key_limit`.
   */
  async update(
    actor: Actor,
    organizationId: string,
    serviceAccountId: string,
    id: string,
    input: KeyUpdateInput,
  ): Promise<Key> {
    return this.database.tenant(organizationId, async (tx) => {
      const account = await lockAccount(tx, organizationId, serviceAccountId);
      const row = await readKey(tx, organizationId, serviceAccountId, id);
      await requireMatch(actor, () => toKey(row));
      if (row.status === 'revoked') throw conflict('key_revoked', 'The key has been revoked.');
      const bounds = await readKeyBounds(tx, organizationId, serviceAccountId);
      const { permissions } = await roleNamed(tx, organizationId, account.roleKey);
      const before = fieldsOf(row);
      const listed = [...row.permissions, ...(input.permissions ?? [])];
      const registered = await registeredAmong(tx, organizationId, listed);
      const replacedAt = await readReplacedAt(tx, organizationId, row);
      const judged = { rolePermissions: permissions, registered, bounds, replacedAt, pointer: '' };
      const after = changedKeyFields(row, { given: input, ...judged });
      const [old, now] = [toKeySnapshot(before), toKeySnapshot(after)];
      const changes = changesBetween(old, now, KEY_SNAPSHOT_FIELDS);
      if (changes === undefined) return toKey(row);
      if (widens(before, after)) {
        requireHeld(actor, effectivePermissions(permissions, after.permissions));
      }
      if (row.status === 'expired' && changes['expiresAt'] !== undefined) {
        if (replacedAt === undefined) requireRoom(bounds);
        else requireRoomToOverlap(bounds);
      }
      await save(tx, organizationId, id, after, bounds);
      const targets = keyTargets({ id, name: after.name }, account);
      record(tx, actor, 'key.updated', { organizationId, targets, changes });
      // Cached credentials carry all of these, the name for the trail and for `/v1/me`.
      raiseEpoch(tx);
      return toKey(await readKey(tx, organizationId, serviceAccountId, id));
    });
  }

  /** Revokes a key: every request begun after this is refused. Revoking again does nothing. Errors: 404. */
  async revoke(
    actor: Actor,
    organizationId: string,
    serviceAccountId: string,
    id: string,
  ): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const account = await lockAccount(tx, organizationId, serviceAccountId);
      const key = await readKey(tx, organizationId, serviceAccountId, id);
      await requireMatch(actor, () => toKey(key));
      const revoked = await revokeKeys(tx, organizationId, serviceAccountId, key.id);
      if (revoked.length === 0) return;
      const targets = keyTargets(key, account);
      record(tx, actor, 'key.revoked', { organizationId, targets });
      raiseEpoch(tx);
    });
  }

  private async page(
    organizationId: string,
    query: KeysQuery,
    precondition?: (tx: Tx) => Promise<unknown>,
  ): Promise<Page<Key>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, precondition ? 'account-keys' : 'keys', filters);
    const start = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, async (tx) => {
      await precondition?.(tx);
      return selectKeys(tx, organizationId, query, start);
    });
    const toPosition = (row: ListedKey) => [row.position, row.id];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toKey);
  }
}

async function save(
  tx: Tx,
  organizationId: string,
  id: string,
  fields: KeyFields,
  { now }: KeyBounds,
): Promise<void> {
  await tx.key.update({
    where: { organizationId_id: { organizationId, id } },
    data: {
      ...fields,
      allPermissions: fields.permissions === null,
      permissions: fields.permissions ?? [],
      updatedAt: now,
      version: { increment: 1 },
    },
    select: { id: true },
  });
}
