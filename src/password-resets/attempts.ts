import { createHmac } from 'node:crypto';
import { sourceOf } from '../audit/floods.js';
import type { Tx } from '../database/database.service.js';
import { Problem } from '../http/problem.js';
import { QUOTA_EXCEEDED } from '../limits/rate-limit.js';

/** An hour from the first request counted. The link of the last mail outlives it, so whoever has to wait has a link that works. */
const MAX_AN_HOUR = { email: 3, source: 60 } as const;

interface Attempts {
  count: number;
  secondsLeft: number;
}

/**
 * Counts requests for password resets in the database, for all instances together. E-mails are counted whether anybody
 * has them or not, so that a refusal does not tell; what is stored is an HMAC.
 */
export class ResetAttempts {
  /** @param key 32 bytes that are not in the database */
  constructor(private readonly key: Buffer) {}

  /**
   * Counts a request for an e-mail (in lower case) from an address; refused ones do not count, as their transaction is
   * rolled back. Errors: 429 `too_many_password_resets` with `Retry-After`.
   */
  async count(tx: Tx, ip: string, email: string): Promise<void> {
    // The address first, always: two requests can wait for each other in this order only.
    await this.countOne(tx, 'source', sourceOf(ip));
    await this.countOne(tx, 'email', email);
  }

  private async countOne(tx: Tx, what: keyof typeof MAX_AN_HOUR, value: string): Promise<void> {
    const hmac = createHmac('sha256', this.key).update(`password-reset\0${what}\0${value}`);
    const keyHash = new Uint8Array(hmac.digest());
    const [attempts] = await tx.$queryRaw<Attempts[]>`
      INSERT INTO attempt_counters AS c (key_hash, count, ends_at)
      VALUES (${keyHash}, 1, clock_timestamp() + interval '1 hour')
      ON CONFLICT (key_hash) DO UPDATE SET
        count = CASE WHEN c.ends_at <= clock_timestamp() THEN 1 ELSE c.count + 1 END,
        ends_at = CASE WHEN c.ends_at <= clock_timestamp() THEN excluded.ends_at ELSE c.ends_at END
      RETURNING count, greatest(1, ceil(extract(epoch FROM ends_at - clock_timestamp())))::int AS "secondsLeft"`;
    if (attempts !== undefined && attempts.count > MAX_AN_HOUR[what]) throw tooMany(what, attempts);
  }
}

function tooMany(what: keyof typeof MAX_AN_HOUR, { secondsLeft }: Attempts): Problem {
  const detail = {
    email: `A password reset was asked for ${MAX_AN_HOUR.email} times within an hour for this e-mail: use the link of the last mail.`,
    source: `A password reset was asked for ${MAX_AN_HOUR.source} times within an hour from this address.`,
  }[what];
  return new Problem(429, 'too_many_password_resets', detail, {
    type: QUOTA_EXCEEDED,
    violatedPolicies: ['password-resets'],
    headers: { 'Retry-After': String(secondsLeft) },
  });
}
