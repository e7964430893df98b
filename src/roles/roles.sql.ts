import { ROLE_GRANTS } from '../auth/role-grants.sql.js';
import type { Tx } from '../database/database.service.js';
import { containing, type Keyset, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { notFound } from '../http/problem.js';
import { ROLE_KEY, type RoleRow, type RolesQuery } from './roles.dto.js';

const SORT_KEYS = {
  key: { expression: Prisma.sql`r.key`, type: 'text' },
  name: { expression: Prisma.sql`lower(r.name)`, type: 'text' },
  createdAt: { expression: Prisma.sql`r.created_at`, type: 'timestamptz' },
} as const;

const COLUMNS = Prisma.sql`
  r.key, r.name, r.description, r.built_in AS "builtIn", ${Prisma.raw(ROLE_GRANTS)} AS "permissions",
  r.created_at AS "createdAt", r.updated_at AS "updatedAt", r.version,
  ((SELECT count(*) FROM memberships m WHERE m.organization_id = r.organization_id AND m.role_key = r.key)
    + (SELECT count(*) FROM service_accounts a
       WHERE a.organization_id = r.organization_id AND a.role_key = r.key AND a.deleted_at IS NULL)
  )::int AS "memberCount"`;

/** A role in a list, with its place in the list's order. */
export type ListedRole = RoleRow & { position: string };

/** `limit + 1` roles of the organization, after the position given. */
export function selectRoles(
  tx: Tx,
  organizationId: string,
  { search, sort = 'key', limit }: RolesQuery,
  after: unknown[] | undefined,
): Promise<ListedRole[]> {
  const { position, beyond, orderBy }: Keyset = keyset(sort, SORT_KEYS, Prisma.sql`r.key`, after);
  const pattern = search === undefined ? null : containing(search);
  return tx.$queryRaw<ListedRole[]>`
    SELECT ${COLUMNS}, ${position} AS "position" FROM roles r
    WHERE r.organization_id = ${organizationId} AND ${beyond}
      AND (${pattern}::text IS NULL OR r.name ILIKE ${pattern}::text OR r.key ILIKE ${pattern}::text)
    ORDER BY ${orderBy} LIMIT ${limit + 1}`;
}

/** One role. Errors: 404. */
export async function readRole(tx: Tx, organizationId: string, key: string): Promise<RoleRow> {
  const [row] = ROLE_KEY.test(key)
    ? await tx.$queryRaw<RoleRow[]>`
        SELECT ${COLUMNS} FROM roles r WHERE r.organization_id = ${organizationId} AND r.key = ${key}`
    : [];
  if (row === undefined) throw notFound('role');
  return row;
}

/** One role, locked: until the transaction ends nobody can give it to anybody. Errors: 404. */
export async function lockRole(tx: Tx, organizationId: string, key: string): Promise<RoleRow> {
  if (ROLE_KEY.test(key)) {
    await tx.$queryRaw`
      SELECT key FROM roles WHERE organization_id = ${organizationId} AND key = ${key} FOR UPDATE`;
  }
  return readRole(tx, organizationId, key);
}
