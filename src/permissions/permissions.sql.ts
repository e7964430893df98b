import { PERMISSIONS } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import { containing, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { notFound } from '../http/problem.js';
import { KEY_USABLE } from '../keys/keys.sql.js';
import type { OrganizationPermissionsQuery, PermissionRow } from './permissions.dto.js';
import { PERMISSION_NAME } from './permission-name.js';

const SORT_KEYS = {
  permission: { expression: Prisma.sql`p.permission`, type: 'text' },
  createdAt: {
    expression: Prisma.sql`coalesce(p.created_at, '-infinity'::timestamptz)`,
    type: 'timestamptz',
  },
} as const;

const NAMES = Object.keys(PERMISSIONS);
const DESCRIPTIONS = Object.values(PERMISSIONS);

/** Both kinds as one table `p`; nobody made the built-in ones. */
const both = (organizationId: string) => Prisma.sql`(
  SELECT b.permission, b.description, true AS built_in, NULL::text AS created_by_type, NULL::text AS created_by_id,
    NULL::text AS created_by_name, NULL::timestamptz AS created_at, NULL::timestamptz AS updated_at, 1 AS version
  FROM unnest(${NAMES}::text[], ${DESCRIPTIONS}::text[]) AS b(permission, description)
  UNION ALL
  SELECT r.permission, r.description, false, r.created_by_type, r.created_by_id, r.created_by_name, r.created_at,
    r.updated_at, r.version
  FROM registered_permissions r WHERE r.organization_id = ${organizationId}
) AS p`;

const COLUMNS = Prisma.sql`
  p.permission, p.description, p.built_in AS "builtIn", p.created_by_type AS "createdByType",
  p.created_by_id AS "createdById", p.created_by_name AS "createdByName", p.created_at AS "createdAt",
  p.updated_at AS "updatedAt", p.version`;

/** A permission in a list, with its place in the list's order. */
export type ListedPermission = PermissionRow & { position: string };

/** `limit + 1` permissions that roles of the organization can grant, after the position given. */
export function selectPermissions(
  tx: Tx,
  organizationId: string,
  { search, builtIn, sort = 'permission', limit }: OrganizationPermissionsQuery,
  after: unknown[] | undefined,
): Promise<ListedPermission[]> {
  const { position, beyond, orderBy } = keyset(sort, SORT_KEYS, Prisma.sql`p.permission`, after);
  const conditions = [beyond];
  if (builtIn !== undefined) conditions.push(Prisma.sql`p.built_in = ${builtIn}`);
  if (search !== undefined) {
    const pattern = containing(search);
    conditions.push(Prisma.sql`(p.permission ILIKE ${pattern} OR p.description ILIKE ${pattern})`);
  }
  return tx.$queryRaw<ListedPermission[]>`
    SELECT ${COLUMNS}, ${position} AS "position" FROM ${both(organizationId)}
    WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY ${orderBy} LIMIT ${limit + 1}`;
}

/** One permission, built-in or registered by the organization. Errors: 404. */
export async function readPermission(
  tx: Tx,
  organizationId: string,
  permission: string,
): Promise<PermissionRow> {
  const [row] = PERMISSION_NAME.test(permission)
    ? await tx.$queryRaw<PermissionRow[]>`
        SELECT ${COLUMNS} FROM ${both(organizationId)} WHERE p.permission = ${permission}`
    : [];
  if (row === undefined) throw notFound('permission');
  return row;
}

/**
 * One permission; a registered one is locked: until the transaction ends nobody can have it listed
 * in a role, change or remove it. Errors: 404.
 */
export async function lockPermission(
  tx: Tx,
  organizationId: string,
  permission: string,
): Promise<PermissionRow> {
  if (PERMISSION_NAME.test(permission)) {
    await tx.$queryRaw`
      SELECT permission FROM registered_permissions
      WHERE organization_id = ${organizationId} AND permission = ${permission} FOR UPDATE`;
  }
  return readPermission(tx, organizationId, permission);
}

/** How many permissions the organization has registered. */
export async function countRegistered(tx: Tx, organizationId: string): Promise<number> {
  return tx.registeredPermission.count({ where: { organizationId } });
}

/** What lists a permission: how many there are, and the first few of them. */
export interface PermissionUse {
  roles: number;
  roleKeys: string[];
  keys: number;
  keyIds: string[];
}

/** The custom roles that list a permission, and the usable keys that are restricted to it. At most `most` are named. */
export async function readUse(
  tx: Tx,
  organizationId: string,
  permission: string,
  most: number,
): Promise<PermissionUse> {
  const [row] = await tx.$queryRaw<PermissionUse[]>`
    WITH listing AS (
      SELECT r.key FROM roles r
      WHERE r.organization_id = ${organizationId} AND NOT r.built_in AND ${permission} = ANY(r.permissions)
    ), restricted AS (
      SELECT k.id FROM keys k
      WHERE k.organization_id = ${organizationId} AND NOT k.all_permissions AND ${permission} = ANY(k.permissions)
        AND ${KEY_USABLE}
    )
    SELECT (SELECT count(*)::int FROM listing) AS "roles",
      ARRAY(SELECT key FROM listing ORDER BY key LIMIT ${most}) AS "roleKeys",
      (SELECT count(*)::int FROM restricted) AS "keys",
      ARRAY(SELECT id FROM restricted ORDER BY id LIMIT ${most}) AS "keyIds"`;
  if (row === undefined) throw new Error('an aggregate without a row');
  return row;
}

/**
 * Takes a permission out of the keys that have expired: one whose life is lengthened must not get it
 * back when the name is registered again. Revoked keys never work again and keep what they had.
 */
export async function withdrawFromExpired(
  tx: Tx,
  organizationId: string,
  permission: string,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE keys SET permissions = array_remove(permissions, ${permission}), updated_at = clock_timestamp(),
      version = version + 1
    WHERE organization_id = ${organizationId} AND NOT all_permissions AND ${permission} = ANY(permissions)
      AND revoked_at IS NULL`;
}
