import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import { requireHeld } from '../auth/grant.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import { isUniqueViolation } from '../database/errors.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import {
  type OrganizationPermission,
  type OrganizationPermissionsQuery,
  type PermissionCreateInput,
  type PermissionRow,
  type PermissionUpdateInput,
  toPermission,
} from './permissions.dto.js';
import {
  countRegistered,
  type ListedPermission,
  lockPermission,
  type PermissionUse,
  readPermission,
  readUse,
  selectPermissions,
  withdrawFromExpired,
} from './permissions.sql.js';
import { lockRegistered } from './registered.js';

/** As many permissions as an organization may register. */
const MAX_REGISTERED = 500;
/** So many roles, and so many keys, are named when a permission is in use. */
const MAX_NAMED = 10;

/** The permissions that roles of an organization can grant, and those it registers for its own APIs. */
@Injectable()
export class PermissionsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly cursors: CursorCodec,
  ) {}

  /** A page of both kinds. */
  async list(
    organizationId: string,
    query: OrganizationPermissionsQuery,
  ): Promise<Page<OrganizationPermission>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'permissions', { ...filters });
    const start = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      selectPermissions(tx, organizationId, query, start),
    );
    const toPosition = (row: ListedPermission) => [row.position, row.permission];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toPermission);
  }

  /** One permission of either kind. Errors: 404. */
  async get(organizationId: string, permission: string): Promise<OrganizationPermission> {
    return this.database.tenant(organizationId, async (tx) =>
      toPermission(await readPermission(tx, organizationId, permission)),
    );
  }

  /**
   * Registers a permission. Owners and administrators hold it from now on; whoever registers it gains
   * nothing by that. Errors: 409 `name_taken`, 409 `permission_limit`.
   */
  async create(
    actor: Actor,
    organizationId: string,
    { permission, description }: PermissionCreateInput,
  ): Promise<OrganizationPermission> {
    const work = async (tx: Tx) => {
      await lockRegistered(tx, organizationId);
      if ((await countRegistered(tx, organizationId)) >= MAX_REGISTERED) {
        const detail = `An organization may register ${MAX_REGISTERED} permissions. Remove one first.`;
        throw conflict('permission_limit', detail);
      }
      const now = await databaseNow(tx);
      const times = { createdAt: now, updatedAt: now };
      const row = await tx.registeredPermission.create({
        data: { organizationId, permission, description, ...creatorOf(actor), ...times },
      });
      const changes = changesBetween<{ description: string | null }>({ description: null }, row, [
        'description',
      ]);
      record(tx, actor, 'permission.registered', { ...about(organizationId, permission), changes });
      raiseEpoch(tx);
      return toPermission({ ...row, builtIn: false });
    };
    try {
      return await this.database.tenant(organizationId, idempotent(actor, work));
    } catch (error) {
      if (!isUniqueViolation(error, 'registered_permissions_pkey')) throw error;
      const detail = `The organization has registered ${permission} already.`;
      throw conflict('name_taken', detail);
    }
  }

  /**
   * Changes the sentence that administrators grant by. Errors: 403 `grant_exceeds_permissions` for
   * callers who do not hold it, 404, 409 `built_in_permission`.
   */
  async update(
    actor: Actor,
    organizationId: string,
    permission: string,
    { description }: PermissionUpdateInput,
  ): Promise<OrganizationPermission> {
    return this.database.tenant(organizationId, async (tx) => {
      const before = await lockOwn(tx, actor, organizationId, permission);
      const after = { ...before, description: description ?? before.description };
      const changes = changesBetween(before, after, ['description']);
      if (changes === undefined) return toPermission(before);
      requireHeld(actor, [permission]);
      const updatedAt = await databaseNow(tx);
      const { version } = await tx.registeredPermission.update({
        where: { organizationId_permission: { organizationId, permission } },
        data: { description: after.description, updatedAt, version: { increment: 1 } },
      });
      record(tx, actor, 'permission.updated', { ...about(organizationId, permission), changes });
      return toPermission({ ...after, updatedAt, version });
    });
  }

  /**
   * Removes a permission, from owners and administrators too; no role, key or token ever gets it back
   * but by being granted it anew. Errors: 403 `grant_exceeds_permissions` for callers who do not hold
   * it, 404, 409 `built_in_permission` and `permission_in_use`.
   */
  async delete(actor: Actor, organizationId: string, permission: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      await lockRegistered(tx, organizationId);
      await lockOwn(tx, actor, organizationId, permission);
      requireHeld(actor, [permission]);
      const use = await readUse(tx, organizationId, permission, MAX_NAMED);
      if (use.roles + use.keys > 0) throw conflict('permission_in_use', inUse(use));
      await withdrawFromExpired(tx, organizationId, permission);
      await tx.registeredPermission.delete({
        where: { organizationId_permission: { organizationId, permission } },
      });
      record(tx, actor, 'permission.removed', about(organizationId, permission));
      raiseEpoch(tx);
    });
  }
}

/** A registered permission, locked. Errors: 404, 412, 409 `built_in_permission`. */
async function lockOwn(
  tx: Tx,
  actor: Actor,
  organizationId: string,
  permission: string,
): Promise<PermissionRow> {
  const row = await lockPermission(tx, organizationId, permission);
  await requireMatch(actor, () => toPermission(row));
  if (row.builtIn) {
    throw conflict('built_in_permission', 'Built-in permissions cannot be changed.');
  }
  return row;
}

function inUse({ roles, roleKeys, keys, keyIds }: PermissionUse): string {
  const named = (names: string[], count: number) =>
    names.join(', ') + (count > names.length ? ` and ${count - names.length} more` : '');
  const parts = [
    ...(roles > 0 ? [`roles list it: ${named(roleKeys, roles)}`] : []),
    ...(keys > 0 ? [`usable keys are restricted to it: ${named(keyIds, keys)}`] : []),
  ];
  return `The permission is in use: ${parts.join('; ')}.`;
}

function about(organizationId: string, permission: string) {
  const targets = [{ type: 'permission' as const, id: permission, name: permission }];
  return { organizationId, targets };
}
