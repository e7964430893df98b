import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { BUILT_IN_ROLES, isBuiltInRole, PERMISSIONS } from '../auth/permissions.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, raiseEpoch, type Tx } from '../database/database.service.js';
import { isUniqueViolation } from '../database/errors.js';
import { requireMatch } from '../http/entity-tag.js';
import { CursorCodec, cursorScope, mapPage, type Page, page } from '../http/pagination.js';
import { conflict, type Problem, refused } from '../http/problem.js';
import { idempotent } from '../idempotency/idempotent.js';
import { knownPermissions } from './permission-list.js';
import {
  type PermissionPage,
  type Role,
  type RoleCreateInput,
  type RoleRow,
  type RolesQuery,
  type RoleUpdateInput,
  toRole,
} from './roles.dto.js';
import { type ListedRole, lockRole, readRole, selectRoles } from './roles.sql.js';

const FIELDS = ['name', 'description', 'permissions'] as const;
const BLANK: Snapshot = { name: null, description: '', permissions: [] };

/** What the trail tells of a role. */
interface Snapshot {
  name: string | null;
  description: string;
  permissions: string[];
}

/** Roles: the built-in ones that every organization has, and its own. */
@Injectable()
export class RolesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly cursors: CursorCodec,
  ) {}

  /** Every built-in permission, with the sentence that explains it. */
  permissions(): PermissionPage {
    const entries = Object.entries(PERMISSIONS);
    return {
      data: entries.map(([permission, description]) => ({ permission, description })),
      paging: {},
    };
  }

  /** A page of the organization's roles. */
  async list(organizationId: string, query: RolesQuery): Promise<Page<Role>> {
    const { limit, after, ...filters } = query;
    const scope = cursorScope(organizationId, 'roles', { ...filters });
    const start = after === undefined ? undefined : this.cursors.decode(scope, after);
    const rows = await this.database.tenant(organizationId, (tx) =>
      selectRoles(tx, organizationId, query, start),
    );
    const toPosition = (row: ListedRole) => [row.position, row.key];
    return mapPage(page(rows, limit, { codec: this.cursors, scope, toPosition }), toRole);
  }

  /** One role. Errors: 404. */
  async get(organizationId: string, key: string): Promise<Role> {
    return this.database.tenant(organizationId, async (tx) =>
      toRole(await readRole(tx, organizationId, key)),
    );
  }

  /**
   * Makes a custom role of permissions that the actor holds. Errors: 400 `unknown_permission`,
   * 403 `grant_exceeds_permissions`, 409 `name_taken`.
   */
  async create(actor: Actor, organizationId: string, input: RoleCreateInput): Promise<Role> {
    const { key, name, description = '' } = input;
    const work = async (tx: Tx) => {
      const permissions = await knownPermissions(tx, organizationId, input.permissions);
      requireHeld(actor, permissions);
      if (isBuiltInRole(key)) throw keyTaken(key);
      const now = await databaseNow(tx);
      const data = { organizationId, key, name, description, permissions };
      const row = await tx.role.create({ data: { ...data, createdAt: now, updatedAt: now } });
      const changes = changesBetween<Snapshot>(BLANK, row, FIELDS);
      record(tx, actor, 'role.created', { ...about(organizationId, row), changes });
      return toRole({ ...row, memberCount: 0 });
    };
    try {
      return await this.database.tenant(organizationId, idempotent(actor, work));
    } catch (error) {
      throw isUniqueViolation(error, 'roles_pkey') ? keyTaken(key) : error;
    }
  }

  /**
   * Changes a custom role; what is left out stays. Whoever has the role is affected at once.
   * Errors: 400 `unknown_permission`, 403 `grant_exceeds_permissions` (the role as it was counts
   * too) and `own_role`, 404, 409 `built_in_role`.
   */
  async update(
    actor: Actor,
    organizationId: string,
    key: string,
    input: RoleUpdateInput,
  ): Promise<Role> {
    return this.database.tenant(organizationId, async (tx) => {
      const before = await lockCustomRole(tx, actor, organizationId, key);
      const { name = before.name, description = before.description } = input;
      const permissions =
        input.permissions === undefined
          ? before.permissions
          : await knownPermissions(tx, organizationId, input.permissions);
      const after = { name, description, permissions };
      const changes = changesBetween<Snapshot>(before, after, FIELDS);
      if (changes === undefined) return toRole(before);
      requireHeld(actor, [...new Set([...before.permissions, ...after.permissions])]);
      if (changes['permissions'] !== undefined) refuseOwnRole(actor, organizationId, key);
      const updatedAt = await databaseNow(tx);
      const { version } = await tx.role.update({
        where: { organizationId_key: { organizationId, key } },
        data: { ...after, updatedAt, version: { increment: 1 } },
      });
      record(tx, actor, 'role.updated', { ...about(organizationId, { key, name }), changes });
      // Cached credentials carry the role's name too: `/v1/me` shows it.
      if (changes['permissions'] !== undefined || changes['name'] !== undefined) raiseEpoch(tx);
      return toRole({ ...before, ...after, updatedAt, version });
    });
  }

  /** Deletes a custom role that nobody has. Errors: 404, 409 `built_in_role` and `role_in_use`. */
  async delete(actor: Actor, organizationId: string, key: string): Promise<void> {
    await this.database.tenant(organizationId, async (tx) => {
      const role = await lockCustomRole(tx, actor, organizationId, key);
      if (role.memberCount > 0) {
        const holders =
          role.memberCount === 1 ? 'user or service account' : 'users or service accounts';
        const detail = `The role is held by ${role.memberCount} ${holders}.`;
        throw conflict('role_in_use', detail);
      }
      // Rows of deleted accounts still name a role; one that permits next to nothing will do.
      await tx.$executeRaw`
        UPDATE service_accounts SET role_key = ${LEAST_ROLE}
        WHERE organization_id = ${organizationId} AND role_key = ${key} AND deleted_at IS NOT NULL`;
      await tx.role.delete({ where: { organizationId_key: { organizationId, key } } });
      record(tx, actor, 'role.deleted', about(organizationId, role));
      raiseEpoch(tx);
    });
  }
}

const LEAST_ROLE = 'verifier' satisfies keyof typeof BUILT_IN_ROLES;

async function lockCustomRole(
  tx: Tx,
  actor: Actor,
  organizationId: string,
  key: string,
): Promise<RoleRow> {
  const role = await lockRole(tx, organizationId, key);
  await requireMatch(actor, () => toRole(role));
  if (role.builtIn) throw conflict('built_in_role', 'Built-in roles cannot be changed.');
  return role;
}

/** Nobody changes what they may do themselves, also not in a way that they would be allowed to grant. */
function refuseOwnRole(actor: Actor, organizationId: string, key: string): void {
  if (ownRoleKey(actor, organizationId) !== key) return;
  throw refused('own_role', 'You cannot change the permissions of the role you have yourself.');
}

function ownRoleKey({ credential }: Actor, organizationId: string): string | undefined {
  if (credential === null) return undefined;
  if (credential.kind === 'key') return credential.role.key;
  return credential.memberships.find((one) => one.organizationId === organizationId)?.role.key;
}

function keyTaken(key: string): Problem {
  return conflict('name_taken', `The organization has a role with the key ${key} already.`);
}

function about(organizationId: string, { key, name }: { key: string; name: string }) {
  return { organizationId, targets: [{ type: 'role' as const, id: key, name }] };
}
