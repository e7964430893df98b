import { Injectable } from '@nestjs/common';
import type { AuditTarget } from '../audit/event.js';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import { requireHeld } from '../auth/grant.js';
import { newId } from '../crypto/id.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import { isUniqueViolation } from '../database/errors.js';
import { Instance } from '../database/instance.js';
import { requireMatch, taggedAs } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict, refused } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { insertKey, keyTargets } from '../keys/insert-key.js';
import { toKeyWithToken } from '../keys/keys.dto.js';
import { revokeKeys } from '../keys/keys.sql.js';
import { mintKey } from '../keys/mint-key.js';
import { findRoles, roleNamed, unknownRole } from '../roles/find-role.js';
import {
  ACCOUNT_FIELDS,
  type AccountFields,
  changedFields,
  fieldsOf,
  NO_ACCOUNT,
  requireOwners,
  toColumns,
} from './account-fields.js';
import { lockAccount } from './find-account.js';
import {
  type ServiceAccount,
  type ServiceAccountCreated,
  type ServiceAccountCreateInput,
  type ServiceAccountsQuery,
  type ServiceAccountStatus,
  type ServiceAccountUpdateInput,
  toServiceAccount,
} from './service-accounts.dto.js';
import { type ListedServiceAccount, readAccount, selectAccounts } from './service-accounts.sql.js';

/** Service accounts: the technical users of an organization. */
@Injectable()
export class ServiceAccountsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly instance: Instance,
    private readonly cursors: CursorCodec,
  ) {}

  /**
   * Makes an account and its first key; the answer is the only one that shows the token. Errors: 400
   * (`unknown_role`, `unknown_user`, and those of keys), 403 `grant_exceeds_permissions`,
   * 409 `name_taken`.
   */
  async create(
    actor: Actor,
    organizationId: string,
    input: ServiceAccountCreateInput,
  ): Promise<ServiceAccountCreated> {
    const id = newId('sa');
    const { key: given = {}, name, role } = input;
    const minted = mintKey(this.instance, given.publicKey);
    const fields = { ...changedFields(NO_ACCOUNT, input), name, role };
    const work = async (tx: Tx) => {
      const { permissions: rolePermissions } = await roleNamed(tx, organizationId, role);
      await requireOwners(tx, organizationId, NO_ACCOUNT, fields);
      requireHeld(actor, rolePermissions);
      await insertAccount(tx, actor, organizationId, id, fields);
      const targets = [target({ id, name })];
      const changes = changesBetween<AccountFields>(NO_ACCOUNT, fields, ACCOUNT_FIELDS);
      record(tx, actor, 'service_account.created', { organizationId, targets, changes });
      const key = await insertKey(tx, actor, {
        organizationId,
        account: { id, name },
        rolePermissions,
        minted,
        given,
        pointer: '/key',
      });
      const serviceAccount = toServiceAccount(await readAccount(tx, organizationId, id));
      return taggedAs({ serviceAccount, key: toKeyWithToken(key, minted.token) }, serviceAccount);
    };
    return this.unlessTaken(organizationId, idempotent(actor, work));
  }

  /** A page of the organization's service accounts. */
  async list(organizationId: string, query: ServiceAccountsQuery): Promise<Page<ServiceAccount>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'service-accounts', { ...filters });
    const start = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      selectAccounts(tx, organizationId, query, start),
    );
    const toPosition = (row: ListedServiceAccount) => [row.position, row.id];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toServiceAccount);
  }

  /** One service account. Errors: 404. */
  async get(organizationId: string, id: string): Promise<ServiceAccount> {
    return this.database.tenant(organizationId, async (tx) =>
      toServiceAccount(await readAccount(tx, organizationId, id)),
    );
  }

  /**
   * Changes an account; what is left out stays. A new role holds at once, for all its keys. Errors:
   * 400 (`unknown_role`, `unknown_user`), 403 `grant_exceeds_permissions` (the old role counts too)
   * and `own_role`, 403 `own_limit`, 404, 409 `name_taken`.
   */
  async update(
    actor: Actor,
    organizationId: string,
    id: string,
    input: ServiceAccountUpdateInput,
  ): Promise<ServiceAccount> {
    return this.unlessTaken(organizationId, async (tx) => {
      await lockAccount(tx, organizationId, id);
      const row = await readAccount(tx, organizationId, id);
      await requireMatch(actor, () => toServiceAccount(row));
      const before = fieldsOf(row);
      const after = changedFields(before, input);
      const changes = changesBetween<AccountFields>(before, after, ACCOUNT_FIELDS);
      if (changes === undefined) return toServiceAccount(row);
      await requireOwners(tx, organizationId, before, after);
      if (changes['requestsPerMinute'] !== undefined) requireOthersLimit(actor, id);
      if (changes['role'] !== undefined) {
        await requireRoleChange(tx, actor, organizationId, id, [before.role, after.role]);
      }
      await save(tx, organizationId, id, toColumns(after));
      const targets = [target({ id, name: after.name })];
      record(tx, actor, 'service_account.updated', { organizationId, targets, changes });
      // Cached credentials carry the limit, and the name for the trail and for `/v1/me`.
      if (changes['role'] ?? changes['name'] ?? changes['requestsPerMinute']) raiseEpoch(tx);
      return toServiceAccount(await readAccount(tx, organizationId, id));
    });
  }

  /** Refuses the account's keys until it is enabled. Errors: 404. */
  disable(actor: Actor, organizationId: string, id: string): Promise<ServiceAccount> {
    return this.setStatus(actor, organizationId, id, 'disabled');
  }

  /** Lets the account's keys in again. Errors: 403 `grant_exceeds_permissions`, 404. */
  enable(actor: Actor, organizationId: string, id: string): Promise<ServiceAccount> {
    return this.setStatus(actor, organizationId, id, 'active');
  }

  /** Deletes an account and revokes all its keys; its name becomes free. Errors: 404. */
  async delete(actor: Actor, organizationId: string, id: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const account = await lockAccount(tx, organizationId, id);
      await requireAccountMatch(tx, actor, organizationId, id);
      const revoked = await revokeKeys(tx, organizationId, id);
      await save(tx, organizationId, id, { deletedAt: await databaseNow(tx) });
      const targets = [target(account)];
      record(tx, actor, 'service_account.deleted', { organizationId, targets });
      for (const key of revoked) {
        record(tx, actor, 'key.revoked', {
          organizationId,
          targets: keyTargets(key, account),
          reason: 'service_account_deleted',
        });
      }
      raiseEpoch(tx);
    });
  }

  private async setStatus(
    actor: Actor,
    organizationId: string,
    id: string,
    status: ServiceAccountStatus,
  ): Promise<ServiceAccount> {
    return this.database.tenant(organizationId, async (tx) => {
      const before = await lockAccount(tx, organizationId, id);
      await requireAccountMatch(tx, actor, organizationId, id);
      if (status === 'active') {
        requireHeld(actor, (await roleNamed(tx, organizationId, before.roleKey)).permissions);
      }
      if (before.status !== status) {
        await save(tx, organizationId, id, { status });
        const changes = changesBetween({ status: before.status }, { status }, ['status']);
        const action = `service_account.${status === 'active' ? 'enabled' : 'disabled'}`;
        record(tx, actor, action, { organizationId, targets: [target(before)], changes });
        raiseEpoch(tx);
      }
      return toServiceAccount(await readAccount(tx, organizationId, id));
    });
  }

  /** A tenant's transaction, whose violated unique index becomes 409 `name_taken`. */
  private async unlessTaken<T>(organizationId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.database.tenant(organizationId, work);
    } catch (error) {
      if (!isUniqueViolation(error, 'service_accounts_name_key')) throw error;
      const detail = 'The organization has a service account with this name already.';
      throw conflict('name_taken', detail);
    }
  }
}

/** The account being locked. Errors: 412. */
function requireAccountMatch(tx: Tx, actor: Actor, organizationId: string, id: string) {
  return requireMatch(actor, async () =>
    toServiceAccount(await readAccount(tx, organizationId, id)),
  );
}

type Columns = Parameters<Tx['serviceAccount']['update']>[0]['data'];

async function insertAccount(
  tx: Tx,
  actor: Actor,
  organizationId: string,
  id: string,
  fields: AccountFields & { name: string; role: string },
): Promise<void> {
  const now = await databaseNow(tx);
  const times = { createdAt: now, updatedAt: now };
  await tx.serviceAccount.create({
    data: { organizationId, id, ...toColumns(fields), ...creatorOf(actor), ...times },
    select: { id: true },
  });
}

async function save(tx: Tx, organizationId: string, id: string, columns: Columns): Promise<void> {
  await tx.serviceAccount.update({
    where: { organizationId_id: { organizationId, id } },
    data: { ...columns, updatedAt: await databaseNow(tx), version: { increment: 1 } },
    select: { id: true },
  });
}

/** Both roles must be within the actor's permissions, and the account must not be the actor itself. */
async function requireRoleChange(
  tx: Tx,
  actor: Actor,
  organizationId: string,
  id: string,
  [old, wanted]: [string, string],
): Promise<void> {
  const roles = await findRoles(tx, organizationId, [old, wanted]);
  if (!roles.has(wanted)) throw unknownRole('/role');
  if (actor.type === 'serviceAccount' && actor.id === id) {
    throw refused('own_role', 'A service account cannot change its own role.');
  }
  requireHeld(actor, [...new Set([...roles.values()].flatMap(({ permissions }) => permissions))]);
}

/** Nobody decides about their own limit. */
function requireOthersLimit(actor: Actor, id: string): void {
  if (actor.type !== 'serviceAccount' || actor.id !== id) return;
  throw refused('own_limit', 'A service account cannot change its own limit.');
}

function target({ id, name }: { id: string; name: string }): AuditTarget {
  return { type: 'serviceAccount', id, name };
}
