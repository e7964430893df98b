import type { RawStatement } from '../database/database.service.js';

/** Failures for one e-mail and address before there is a wait. */
const FREE_FAILURES = 5;
/** After so many failures; after each further one twice as long, up to the longest. */
const FIRST_WAIT_SECONDS = 30;
const LONGEST_WAIT_SECONDS = 900;
/**
 * Failures are forgotten so long after the last one. `ends_at` is that time, so it also tells when the last attempt was, and the
 * wait needs no column of its own.
 */
const MEMORY = "interval '1 day'";

/** SQL: how long the next attempt has to wait after the last one of the row `c`. */
const WAIT = `make_interval(secs => CASE WHEN c.count < ${FREE_FAILURES} THEN 0
  ELSE least(${LONGEST_WAIT_SECONDS}, ${FIRST_WAIT_SECONDS} * 2 ^ least(c.count - ${FREE_FAILURES}, 10)) END)`;

/**
 * Counts an attempt under the key $1, and answers a row unless it has to wait: then nothing is changed. Others at once stand in
 * line for the row, and each sees what those before it have counted.
 */
export const COUNT_ATTEMPT_STATEMENT: RawStatement = {
  name: 'count_login_attempt',
  text: `INSERT INTO attempt_counters AS c (key_hash, count, ends_at) VALUES ($1, 1, clock_timestamp() + ${MEMORY})
    ON CONFLICT (key_hash) DO UPDATE SET
      count = CASE WHEN c.ends_at <= clock_timestamp() THEN 1 ELSE least(c.count + 1, 1000) END,
      ends_at = clock_timestamp() + ${MEMORY}
    WHERE c.ends_at - ${MEMORY} + ${WAIT} <= clock_timestamp()
    RETURNING count`,
};

/** How many whole seconds, at least 1, the next attempt under the key $1 has to wait. */
export const WAIT_STATEMENT: RawStatement = {
  name: 'wait_of_login_attempts',
  text: `SELECT greatest(1, ceil(extract(epoch FROM c.ends_at - ${MEMORY} + ${WAIT} - clock_timestamp())))::int
      AS "secondsLeft"
    FROM attempt_counters c WHERE c.key_hash = $1`,
};

/** Takes an attempt under the key $1 back: the next one waits no longer than before it. */
export const TAKE_BACK_ATTEMPT_STATEMENT: RawStatement = {
  name: 'take_back_login_attempt',
  text: `UPDATE attempt_counters c SET count = c.count - 1, ends_at = c.ends_at - ${WAIT}
    WHERE c.key_hash = $1 AND c.count > 0`,
};
