import type { Tx } from '../database/database.service.js';
import { Prisma } from '../generated/prisma/client.js';
import type { KeyUsageQuery, KeyUsageRow, KeyUsageTotal } from './key-usage.dto.js';
import { KEY_STATUS } from './keys.sql.js';

type Times = 'lastUsedAt' | 'lastRefusedAt';
type Dated<T, Names extends keyof T> = Omit<T, Names> & Record<Names, Date | null>;

/** A key with its totals, as it is read. */
export type TotalRow = Dated<KeyUsageTotal, Times | 'expiresAt'>;

/** A row of usage, as it is read. */
export type ListedUse = Dated<KeyUsageRow, Times>;

/** The days asked for, by the database's clock. */
export interface Days {
  from: string;
  to: string;
}

/** The last so many days in UTC, as `2026-11-24`. */
export async function readDays(tx: Tx, days: number): Promise<Days> {
  const [row] = await tx.$queryRaw<Days[]>`
    SELECT (today - (${days}::int - 1))::text AS "from", today::text AS "to"
    FROM (SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date AS today) AS now`;
  if (row === undefined) throw new Error('the database did not tell the day');
  return row;
}

/** A key, its predecessor and its successor, each with the totals of its usage. */
export function selectTotals(
  tx: Tx,
  organizationId: string,
  keyId: string,
  { from }: Days,
): Promise<TotalRow[]> {
  return tx.$queryRaw<TotalRow[]>`
    SELECT k.id, k.name, r.relation, ${KEY_STATUS} AS "status", k.expires_at AS "expiresAt",
      coalesce(u.requests, 0)::float8 AS "requests", coalesce(u.denied, 0)::float8 AS "denied",
      coalesce(u.refused, 0)::float8 AS "refused",
      u.used AS "lastUsedAt", u.refused_at AS "lastRefusedAt"
    FROM keys this
    CROSS JOIN LATERAL (VALUES (1, 'this', this.id), (2, 'predecessor', this.rotated_from_id),
      (3, 'successor', this.replaced_by_id)) AS r(place, relation, key_id)
    JOIN keys k ON k.organization_id = this.organization_id AND k.id = r.key_id
    LEFT JOIN LATERAL (
      SELECT sum(requests) AS requests, sum(denied) AS denied, sum(refused) AS refused,
        max(last_used_at) AS used, max(last_refused_at) AS refused_at
      FROM key_usage WHERE organization_id = k.organization_id AND key_id = k.id AND day >= ${from}::date
    ) AS u ON true
    WHERE this.organization_id = ${organizationId} AND this.id = ${keyId}
    ORDER BY r.place`;
}

/**
 * `limit + 1` rows of usage of these keys, latest day first, after the position given. Of each key no more are read than may
 * be wanted, in the order of the primary key.
 */
export function selectUses(
  tx: Tx,
  organizationId: string,
  keyIds: string[],
  { from }: Days,
  { limit }: KeyUsageQuery,
  after: unknown[] | undefined,
): Promise<ListedUse[]> {
  const [day, ...others] = after ?? [];
  const beyond =
    after === undefined
      ? Prisma.empty
      : Prisma.sql`AND g.day <= ${day}::date
        AND (g.day, g.key_id, g.route, g.ip, g.client) < (${day}::date, ${Prisma.join(others)})`;
  return tx.$queryRaw<ListedUse[]>`
    SELECT u.day::text AS "day", u.key_id AS "keyId", u.route, u.ip, u.client, u.requests, u.denied, u.refused,
      u.last_used_at AS "lastUsedAt", u.last_refused_at AS "lastRefusedAt"
    FROM unnest(${keyIds}::text[]) AS k(id) CROSS JOIN LATERAL (
      SELECT * FROM key_usage g
      WHERE g.organization_id = ${organizationId} AND g.key_id = k.id AND g.day >= ${from}::date ${beyond}
      ORDER BY g.day DESC, g.route DESC, g.ip DESC, g.client DESC LIMIT ${limit + 1}
    ) AS u
    ORDER BY u.day DESC, u.key_id DESC, u.route DESC, u.ip DESC, u.client DESC LIMIT ${limit + 1}`;
}

/** Where a row stands in the list. */
export function positionOf({ day, keyId, route, ip, client }: ListedUse): string[] {
  return [day, keyId, route, ip, client];
}
