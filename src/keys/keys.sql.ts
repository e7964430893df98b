import { isId } from '../crypto/id.js';
import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import type { Tx } from '../database/database.service.js';
import { containing, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { toDate } from '../http/timestamp.js';
import { notFound } from '../http/problem.js';
import type { KeyFields } from './key-fields.js';
import type { KeyRow, KeysQuery } from './keys.dto.js';
import type { MintedKey } from './mint-key.js';

/**
 * The status of a key `k`, by the database's clock. The statement's own time, so that what a filter
 * lets through is shown with that very status.
 */
export const KEY_STATUS = Prisma.sql`CASE
  WHEN k.revoked_at IS NOT NULL THEN 'revoked'
  WHEN k.expires_at <= statement_timestamp() THEN 'expired'
  WHEN k.replaced_by_id IS NOT NULL THEN 'expiring'
  ELSE 'active' END`;

/** Whether a key `k` is usable: neither revoked nor expired. */
export const KEY_USABLE = Prisma.sql`(k.revoked_at IS NULL
  AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()))`;

const COLUMNS = Prisma.sql`
  k.id, k.service_account_id AS "serviceAccountId", k.name, k.obfuscated_token AS "obfuscatedToken",
  k.public_key AS "publicKey", k.all_permissions AS "allPermissions", k.permissions, k.allowed_cidrs AS "allowedCidrs",
  k.expires_at AS "expiresAt", ${KEY_STATUS} AS "status", k.last_used_at AS "lastUsedAt",
  k.last_used_ip AS "lastUsedIp", k.created_at AS "createdAt", k.created_by_type AS "createdByType",
  k.created_by_id AS "createdById", k.created_by_name AS "createdByName", k.revoked_at AS "revokedAt",
  k.rotated_from_id AS "rotatedFromId", k.replaced_by_id AS "replacedById", k.version`;

const SORT_KEYS = {
  createdAt: { expression: Prisma.sql`k.created_at`, type: 'timestamptz' },
  expiresAt: {
    expression: Prisma.sql`coalesce(k.expires_at, 'infinity'::timestamptz)`,
    type: 'timestamptz',
  },
  lastUsedAt: {
    expression: Prisma.sql`coalesce(k.last_used_at, '-infinity'::timestamptz)`,
    type: 'timestamptz',
  },
} as const;

/** A key in a list, with its place in the list's order. */
export type ListedKey = KeyRow & { position: string };

/** `limit + 1` keys of the organization's living accounts, after the position given. */
export function selectKeys(
  tx: Tx,
  organizationId: string,
  { serviceAccountId, status, search, expiresBefore, sort = '-createdAt', limit }: KeysQuery,
  after: unknown[] | undefined,
): Promise<ListedKey[]> {
  const { position, beyond, orderBy } = keyset(sort, SORT_KEYS, Prisma.sql`k.id`, after);
  const conditions = [Prisma.sql`k.organization_id = ${organizationId}`, beyond];
  if (serviceAccountId !== undefined) {
    conditions.push(Prisma.sql`k.service_account_id = ${serviceAccountId}`);
  }
  if (status !== undefined) conditions.push(Prisma.sql`${KEY_STATUS} = ${status}`);
  if (search !== undefined) conditions.push(Prisma.sql`k.name ILIKE ${containing(search)}`);
  if (expiresBefore !== undefined) {
    conditions.push(Prisma.sql`k.expires_at < ${toDate(expiresBefore)}`);
  }
  return tx.$queryRaw<ListedKey[]>`
    SELECT ${COLUMNS}, ${position} AS "position"
    FROM keys k JOIN service_accounts a
      ON a.organization_id = k.organization_id AND a.id = k.service_account_id AND a.deleted_at IS NULL
    WHERE ${Prisma.join(conditions, ' AND ')}
    ORDER BY ${orderBy} LIMIT ${limit + 1}`;
}

/** One key of a service account that is known to live. Errors: 404. */
export async function readKey(
  tx: Tx,
  organizationId: string,
  serviceAccountId: string,
  id: string,
): Promise<KeyRow> {
  const [row] = isId('key', id)
    ? await tx.$queryRaw<KeyRow[]>`
        SELECT ${COLUMNS} FROM keys k
        WHERE k.organization_id = ${organizationId} AND k.service_account_id = ${serviceAccountId}
          AND k.id = ${id}`
    : [];
  if (row === undefined) throw notFound('key');
  return row;
}

/** A key of which everything is decided. */
export interface DecidedKey {
  organizationId: string;
  /** Locked, or made in this very transaction. */
  account: { id: string; name: string };
  minted: MintedKey;
  fields: KeyFields;
  now: Date;
  rotatedFromId?: string;
}

const NO_TOKEN = { tokenHash: null, pepperVersion: null, obfuscatedToken: null };

/** Stores a new key; not through Prisma's model, whose `create` took a fifth of a new key's processor time. */
export async function storeKey(tx: Tx, actor: Actor, key: DecidedKey): Promise<KeyRow> {
  const { organizationId, account, minted, fields, now, rotatedFromId = null } = key;
  const { stored } = minted;
  const token = 'tokenHash' in stored ? stored : NO_TOKEN;
  const publicKey = 'publicKey' in stored ? JSON.stringify(stored.publicKey) : null;
  const { createdByType, createdById, createdByName } = creatorOf(actor);
  const [row] = await tx.$queryRaw<KeyRow[]>`
    INSERT INTO keys AS k (organization_id, id, service_account_id, name,
      token_hash, pepper_version, obfuscated_token, public_key,
      all_permissions, permissions, allowed_cidrs, expires_at, rotated_from_id,
      created_by_type, created_by_id, created_by_name, created_at, updated_at)
    VALUES (${organizationId}, ${minted.id}, ${account.id}, ${fields.name},
      ${token.tokenHash}, ${token.pepperVersion}, ${token.obfuscatedToken}, ${publicKey}::jsonb,
      ${fields.permissions === null}, ${fields.permissions ?? []}, ${fields.allowedCidrs}, ${fields.expiresAt}, ${rotatedFromId},
      ${createdByType}, ${createdById}, ${createdByName}, ${now}, ${now})
    RETURNING ${COLUMNS}`;
  if (row === undefined) throw new Error('INSERT returned nothing');
  return row;
}

/** What bounds the keys of one account, and what time it is for the database. */
export interface KeyBounds {
  now: Date;
  /** How many keys of the account are usable now and have no successor. */
  activeKeys: number;
  /** How many are usable now and have one. */
  expiringKeys: number;
  /** The organization's `maxKeysPerServiceAccount`: of the former, and of the latter. */
  maxKeys: number;
  /** The organization's `maxKeyLifetimeSeconds`. */
  maxLifetimeSeconds: number | null;
}

/** The bounds for an account's keys; exact while the account is locked. */
export async function readKeyBounds(
  tx: Tx,
  organizationId: string,
  serviceAccountId: string,
): Promise<KeyBounds> {
  const [row] = await tx.$queryRaw<KeyBounds[]>`
    SELECT clock_timestamp() AS "now", o.max_keys_per_service_account AS "maxKeys",
      o.max_key_lifetime_seconds AS "maxLifetimeSeconds",
      usable.active AS "activeKeys", usable.expiring AS "expiringKeys"
    FROM organizations o, LATERAL (
      SELECT count(*) FILTER (WHERE k.replaced_by_id IS NULL)::int AS active,
        count(*) FILTER (WHERE k.replaced_by_id IS NOT NULL)::int AS expiring
      FROM keys k WHERE k.organization_id = o.id AND k.service_account_id = ${serviceAccountId}
        AND ${KEY_USABLE}) AS usable
    WHERE o.id = ${organizationId}`;
  if (row === undefined) throw notFound('organization');
  return row;
}

/** A key that has just been revoked. */
export interface RevokedKey {
  id: string;
  name: string;
}

/** Revokes a key, or all keys of an account; answers those that were not revoked before. */
export function revokeKeys(
  tx: Tx,
  organizationId: string,
  serviceAccountId: string,
  id?: string,
): Promise<RevokedKey[]> {
  const one = id === undefined ? Prisma.empty : Prisma.sql`AND id = ${id}`;
  return tx.$queryRaw<RevokedKey[]>`
    UPDATE keys SET revoked_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1
    WHERE organization_id = ${organizationId} AND service_account_id = ${serviceAccountId}
      AND revoked_at IS NULL ${one}
    RETURNING id, name`;
}
