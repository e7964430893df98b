import { isId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { type FieldError, invalid } from '../http/problem.js';
import type {
  ServiceAccountDescription,
  ServiceAccountRow,
  ServiceAccountUpdateInput,
} from './service-accounts.dto.js';

/** What can be said about a service account by whoever makes or changes it, as the trail shows it. */
export interface AccountFields extends Required<ServiceAccountDescription> {
  name: string | null;
  /** The key of the role. */
  role: string | null;
}

/** The fields, in the order of the trail. */
export const ACCOUNT_FIELDS = [
  'name',
  'role',
  'description',
  'ownerId',
  'backupOwnerId',
  'purpose',
  'systems',
  'documentationUrl',
  'labels',
  'requestsPerMinute',
] as const;

/** What an account is before anything is said about it. */
export const NO_ACCOUNT: AccountFields = {
  name: null,
  role: null,
  description: '',
  ownerId: null,
  backupOwnerId: null,
  purpose: '',
  systems: [],
  documentationUrl: null,
  labels: {},
  requestsPerMinute: null,
};

/** The fields that an account has. */
export function fieldsOf(row: ServiceAccountRow): AccountFields & { name: string; role: string } {
  return {
    name: row.name,
    role: row.roleKey,
    description: row.description,
    ownerId: row.ownerId,
    backupOwnerId: row.backupOwnerId,
    purpose: row.purpose,
    systems: row.systems,
    documentationUrl: row.documentationUrl,
    labels: row.labels,
    requestsPerMinute: row.requestsPerMinute,
  };
}

/** The fields after a change; what is not given stays. */
export function changedFields<Fields extends AccountFields>(
  before: Fields,
  input: ServiceAccountUpdateInput,
): Fields {
  const given = Object.fromEntries(
    ACCOUNT_FIELDS.flatMap((field) => (input[field] === undefined ? [] : [[field, input[field]]])),
  );
  return { ...before, ...given };
}

/** The fields under their columns' names. */
export interface AccountColumns {
  name: string;
  roleKey: string;
  description: string;
  ownerId: string | null;
  backupOwnerId: string | null;
  purpose: string;
  systems: string[];
  documentationUrl: string | null;
  labels: Record<string, string>;
  requestsPerMinute: number | null;
}

/** The fields as columns. */
export function toColumns(fields: AccountFields & { name: string; role: string }): AccountColumns {
  const { role, labels, ...columns } = fields;
  return { ...columns, roleKey: role, labels: { ...labels } };
}

/**
 * Refuses owners who are not active users of the organization; those who were owners before may stay.
 * Errors: 400 `unknown_user` on `/ownerId`, `/backupOwnerId`.
 */
export async function requireOwners(
  tx: Tx,
  organizationId: string,
  before: AccountFields,
  after: AccountFields,
): Promise<void> {
  const named = (['ownerId', 'backupOwnerId'] as const).flatMap((field) => {
    const id = after[field];
    return id === null || id === before[field] ? [] : [{ field, id }];
  });
  if (named.length === 0) return;
  const ids = named.map(({ id }) => id).filter((id) => isId('usr', id));
  // Held until the end, so that nobody is removed between this look and the foreign key's.
  const members = await tx.$queryRaw<{ userId: string }[]>`
    SELECT user_id AS "userId" FROM memberships
    WHERE organization_id = ${organizationId} AND status = 'active' AND user_id = ANY(${ids})
    ORDER BY user_id FOR KEY SHARE`;
  const errors = named.flatMap(({ field, id }): FieldError[] =>
    members.some(({ userId }) => userId === id)
      ? []
      : [
          {
            pointer: `/${field}`,
            code: 'unknown_user',
            detail: 'Must be the id of an active user of this organization.',
          },
        ],
  );
  if (errors.length > 0) throw invalid(...errors);
}
