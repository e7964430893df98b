import { isId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { containing, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { notFound } from '../http/problem.js';
import { KEY_USABLE } from '../keys/keys.sql.js';
import type { ServiceAccountRow, ServiceAccountsQuery } from './service-accounts.dto.js';

const COLUMNS = Prisma.sql`
  a.id, a.organization_id AS "organizationId", a.name, a.description, a.role_key AS "roleKey",
  r.name AS "roleName", a.status, o.id AS "ownerId", o.name AS "ownerName", o.email AS "ownerEmail",
  b.id AS "backupOwnerId", b.name AS "backupOwnerName", b.email AS "backupOwnerEmail",
  a.purpose, a.systems, a.documentation_url AS "documentationUrl", a.labels,
  a.requests_per_minute AS "requestsPerMinute",
  (SELECT count(*)::int FROM keys k WHERE k.organization_id = a.organization_id
    AND k.service_account_id = a.id AND ${KEY_USABLE}) AS "keyCount",
  a.last_used_at AS "lastUsedAt", a.created_at AS "createdAt", a.created_by_type AS "createdByType",
  a.created_by_id AS "createdById", a.created_by_name AS "createdByName", a.updated_at AS "updatedAt", a.version`;

const TABLES = Prisma.sql`service_accounts a
  JOIN roles r ON r.organization_id = a.organization_id AND r.key = a.role_key
  LEFT JOIN users o ON o.id = a.owner_id
  LEFT JOIN users b ON b.id = a.backup_owner_id`;

const SORT_KEYS = {
  name: { expression: Prisma.sql`lower(a.name)`, type: 'text' },
  createdAt: { expression: Prisma.sql`a.created_at`, type: 'timestamptz' },
  lastUsedAt: {
    expression: Prisma.sql`coalesce(a.last_used_at, '-infinity'::timestamptz)`,
    type: 'timestamptz',
  },
} as const;

/** A service account in a list, with its place in the list's order. */
export type ListedServiceAccount = ServiceAccountRow & { position: string };

/** `limit + 1` living accounts of the organization, after the position given. */
export function selectAccounts(
  tx: Tx,
  organizationId: string,
  { search, status, role, ownerId, sort = 'name', limit }: ServiceAccountsQuery,
  after: unknown[] | undefined,
): Promise<ListedServiceAccount[]> {
  const { position, beyond, orderBy } = keyset(sort, SORT_KEYS, Prisma.sql`a.id`, after);
  const conditions = [
    Prisma.sql`a.organization_id = ${organizationId} AND a.deleted_at IS NULL`,
    beyond,
  ];
  if (search !== undefined) conditions.push(Prisma.sql`a.name ILIKE ${containing(search)}`);
  if (status !== undefined) conditions.push(Prisma.sql`a.status = ${status}`);
  if (role !== undefined) conditions.push(Prisma.sql`a.role_key = ${role}`);
  if (ownerId !== undefined) conditions.push(Prisma.sql`a.owner_id = ${ownerId}`);
  return tx.$queryRaw<ListedServiceAccount[]>`
    SELECT ${COLUMNS}, ${position} AS "position" FROM ${TABLES}
    WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY ${orderBy} LIMIT ${limit + 1}`;
}

/** One living account. Errors: 404. */
export async function readAccount(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<ServiceAccountRow> {
  const [row] = isId('sa', id)
    ? await tx.$queryRaw<ServiceAccountRow[]>`
        SELECT ${COLUMNS} FROM ${TABLES}
        WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND a.deleted_at IS NULL`
    : [];
  if (row === undefined) throw notFound('service account');
  return row;
}
