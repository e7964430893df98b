import type { RawStatement } from '../database/database.service.js';

/** Address and client of all that go uncounted by name. */
export const OTHER = 'other';

/** So many different addresses and clients a key and day have rows of their own. */
export const MAX_CALLERS = 32;

/**
 * Adds counters, given as arrays side by side: key, route, address, client, requests, denied of these, refused, and how many
 * milliseconds ago it was last used ($8) and refused ($9). A pair of address and client that is new to a key's day when there
 * are {@link MAX_CALLERS} already goes under {@link OTHER}; instances that write at once may get a few more in. Rows are
 * written in one order, so that instances do not deadlock.
 */
export const ADD_USES: RawStatement = {
  name: 'add_key_uses',
  text: `
    WITH use AS (
      SELECT u.*, clock_timestamp() - u.used_ms * interval '1 millisecond' AS used_at,
        clock_timestamp() - u.refused_ms * interval '1 millisecond' AS refused_at
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[],
        $8::float8[], $9::float8[])
        AS u(key_id, route, ip, client, requests, denied, refused, used_ms, refused_ms)
    ), seen AS (
      SELECT k.organization_id, (greatest(use.used_at, use.refused_at) AT TIME ZONE 'UTC')::date AS day, use.*
      FROM use JOIN keys k ON k.id = use.key_id
    ), taken AS (
      SELECT DISTINCT g.organization_id, g.key_id, g.day, g.ip, g.client
      FROM (SELECT DISTINCT organization_id, key_id, day FROM seen) AS s
      JOIN key_usage g ON g.organization_id = s.organization_id AND g.key_id = s.key_id AND g.day = s.day
      WHERE g.ip <> '${OTHER}'
    ), fresh AS (
      SELECT organization_id, key_id, day, ip, client FROM seen WHERE ip <> '${OTHER}'
      EXCEPT SELECT * FROM taken
    ), let_in AS (
      SELECT f.*, row_number() OVER (PARTITION BY f.organization_id, f.key_id, f.day ORDER BY f.ip, f.client)
        + (SELECT count(*) FROM taken t
          WHERE t.organization_id = f.organization_id AND t.key_id = f.key_id AND t.day = f.day) AS place
      FROM fresh f
    ), named AS (
      SELECT organization_id, key_id, day, ip, client FROM taken
      UNION ALL SELECT organization_id, key_id, day, ip, client FROM let_in WHERE place <= ${MAX_CALLERS}
    )
    INSERT INTO key_usage AS g
      (organization_id, key_id, day, route, ip, client, requests, denied, refused, last_used_at, last_refused_at)
    SELECT s.organization_id, s.key_id, s.day, s.route, coalesce(n.ip, '${OTHER}'), coalesce(n.client, '${OTHER}'),
      sum(s.requests), sum(s.denied), sum(s.refused), max(s.used_at), max(s.refused_at)
    FROM seen s LEFT JOIN named n ON n.organization_id = s.organization_id AND n.key_id = s.key_id
      AND n.day = s.day AND n.ip = s.ip AND n.client = s.client
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (organization_id, key_id, day, route, ip, client) DO UPDATE SET
      requests = g.requests + excluded.requests, denied = g.denied + excluded.denied, refused = g.refused + excluded.refused,
      last_used_at = greatest(g.last_used_at, excluded.last_used_at),
      last_refused_at = greatest(g.last_refused_at, excluded.last_refused_at)`,
};
