import type { DatabaseService, RawStatement } from '../database/database.service.js';

/** Collects for this long, so that a burst of requests is one statement. */
const FLUSH_AFTER_MS = 250;
const MAX_PENDING = 5_000;
/** SQL on the embedded database runs on the main thread: small statements only. */
const MAX_ROWS = 500;

const TOUCH: RawStatement = {
  name: 'touch_keys',
  text: `
    WITH used AS (
      SELECT u.id, u.ip, clock_timestamp() - u.age_ms * interval '1 millisecond' AS at
      FROM unnest($1::text[], $2::text[], $3::float8[]) AS u(id, ip, age_ms)
    ), due AS (
      SELECT k.id, k.organization_id, k.service_account_id, used.ip, used.at
      FROM keys k JOIN used ON used.id = k.id
      WHERE k.last_used_at IS NULL OR k.last_used_at <= used.at - interval '1 minute'
      ORDER BY k.id FOR UPDATE OF k SKIP LOCKED
    ), touched AS (
      UPDATE keys k SET last_used_at = due.at, last_used_ip = coalesce(due.ip, k.last_used_ip) FROM due WHERE k.id = due.id
    ), accounts AS (
      SELECT a.organization_id, a.id, max(due.at) AS at
      FROM due JOIN service_accounts a ON a.organization_id = due.organization_id AND a.id = due.service_account_id
      GROUP BY a.organization_id, a.id
    ), lockable AS (
      SELECT a.organization_id, a.id, accounts.at FROM service_accounts a
      JOIN accounts ON accounts.organization_id = a.organization_id AND accounts.id = a.id
      WHERE a.last_used_at IS NULL OR a.last_used_at < accounts.at
      ORDER BY a.id FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE service_accounts a SET last_used_at = lockable.at FROM lockable
    WHERE a.organization_id = lockable.organization_id AND a.id = lockable.id`,
};

/**
 * When and from where keys were last used. Written behind the requests by a statement of its own,
 * at most once a minute a key, forward only; it touches neither `updatedAt` nor the version. A lost
 * write only shows a key as used a minute earlier.
 */
export class UsageRecorder {
  private pending = new Map<string, { ip: string | null; at: number }>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly database: DatabaseService) {}

  /** Notes one use; null: nobody knows from where. */
  note(keyId: string, ip: string | null): void {
    if (this.pending.size >= MAX_PENDING && !this.pending.has(keyId)) return;
    const from = ip ?? this.pending.get(keyId)?.ip ?? null;
    this.pending.set(keyId, { ip: from, at: performance.now() });
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** Writes what has been noted; never fails. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return (this.flushing = this.flushing.then(() => this.write()));
  }

  private async write(): Promise<void> {
    const uses = [...this.pending].sort(([a], [b]) => (a < b ? -1 : 1));
    this.pending = new Map();
    for (let start = 0; start < uses.length; start += MAX_ROWS) {
      const rows = uses.slice(start, start + MAX_ROWS);
      const now = performance.now();
      await this.database
        .raw(TOUCH, [
          rows.map(([id]) => id),
          rows.map(([, use]) => use.ip),
          rows.map(([, use]) => now - use.at),
        ])
        .catch(() => undefined);
    }
  }
}
