/** Rows of a table that are kept for nothing. */
export interface Expiring {
  table: string;
  /** SQL: true of a row that may go, by the database's clock. Stable in a statement, so that an index can find them. */
  isOver: string;
  /** SQL: an order that has an index and begins with the oldest, so that a batch reads little more than it deletes. */
  oldestFirst: string;
}

const EXPIRED = 'expires_at <= statement_timestamp()';

/**
 * All that goes by itself. What has merely expired may still be needed: an invitation that waits is shown as expired and can be sent
 * again, a key is shown for ever, and the token of a session that is over must be told from one that somebody made up, for the trail
 * and so that it does not count as an attack (`audit/floods.ts`). Ids begin with the time at which they were made.
 */
export const EXPIRING: readonly Expiring[] = [
  { table: 'idempotency_records', isOver: EXPIRED, oldestFirst: 'expires_at' },
  { table: 'used_assertions', isOver: EXPIRED, oldestFirst: 'expires_at' },
  { table: 'revoked_access_tokens', isOver: EXPIRED, oldestFirst: 'expires_at' },
  {
    table: 'attempt_counters',
    isOver: 'ends_at <= statement_timestamp()',
    oldestFirst: 'ends_at',
  },
  { table: 'password_resets', isOver: EXPIRED, oldestFirst: 'id' },
  { table: 'setup_tokens', isOver: EXPIRED, oldestFirst: 'id' },
  {
    table: 'sessions',
    isOver: "expires_at <= statement_timestamp() - interval '7 days'",
    oldestFirst: 'id',
  },
  {
    table: 'invitations',
    isOver: "coalesce(accepted_at, revoked_at) <= statement_timestamp() - interval '90 days'",
    oldestFirst: 'id',
  },
  {
    table: 'key_usage',
    isOver: "day <= (statement_timestamp() AT TIME ZONE 'UTC')::date - 90",
    oldestFirst: 'day',
  },
];

/**
 * Deletes up to `most` rows that may go. Who holds one is not waited for, and keeps it until the next time; the rows are locked
 * before they are deleted by their place, so none can have changed meanwhile.
 */
export function sweepStatement({ table, isOver, oldestFirst }: Expiring, most: number): string {
  return `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE ${isOver} ORDER BY ${oldestFirst} LIMIT ${most} FOR UPDATE SKIP LOCKED))`;
}
