import type { Tx } from '../database/database.service.js';
import type { Days } from '../keys/key-usage.sql.js';
import type { ServiceAccountUsageDay } from './account-usage.dto.js';

/** The last use of an account as it is read. */
export interface LastUseRow {
  at: Date;
  ip: string | null;
  keyId: string;
  keyName: string;
}

/**
 * Every day of the period, oldest first, with how much all keys of the account were used. Lateral, so that the rows are found key by
 * key by the primary key of `key_usage`, whatever the planner knows of the table: a plain join reads the days of all accounts.
 */
export function selectDays(
  tx: Tx,
  organizationId: string,
  serviceAccountId: string,
  { from, to }: Days,
): Promise<ServiceAccountUsageDay[]> {
  return tx.$queryRaw<ServiceAccountUsageDay[]>`
    SELECT d.day::date::text AS "day", coalesce(u.requests, 0)::float8 AS "requests",
      coalesce(u.denied, 0)::float8 AS "denied", coalesce(u.refused, 0)::float8 AS "refused"
    FROM generate_series(${from}::timestamp, ${to}::timestamp, interval '1 day') AS d(day)
    LEFT JOIN (
      SELECT g.day, sum(g.requests) AS requests, sum(g.denied) AS denied, sum(g.refused) AS refused
      FROM keys k CROSS JOIN LATERAL (
        SELECT day, sum(requests) AS requests, sum(denied) AS denied, sum(refused) AS refused
        FROM key_usage WHERE organization_id = k.organization_id AND key_id = k.id
          AND day BETWEEN ${from}::date AND ${to}::date
        GROUP BY day
      ) AS g
      WHERE k.organization_id = ${organizationId} AND k.service_account_id = ${serviceAccountId}
      GROUP BY g.day
    ) AS u ON u.day = d.day::date
    ORDER BY d.day`;
}

/** When, from where and with which of its keys, revoked ones too, the account was last used; undefined: never. */
export async function readLastUse(
  tx: Tx,
  organizationId: string,
  serviceAccountId: string,
): Promise<LastUseRow | undefined> {
  const [row] = await tx.$queryRaw<LastUseRow[]>`
    SELECT last_used_at AS "at", last_used_ip AS "ip", id AS "keyId", name AS "keyName" FROM keys
    WHERE organization_id = ${organizationId} AND service_account_id = ${serviceAccountId}
      AND last_used_at IS NOT NULL
    ORDER BY last_used_at DESC, id DESC LIMIT 1`;
  return row;
}
