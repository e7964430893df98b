import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import { sameHash } from '../crypto/pepper.js';
import { redactTokens } from '../crypto/token.js';
import type { Tx } from '../database/database.service.js';
import { entityTagOf, taggedWith } from '../http/entity-tag.js';
import { Problem } from '../http/problem.js';
import type { IdempotencyScope } from './scope.js';

declare module '../auth/actor.js' {
  interface ActorRequest {
    /** Set on routes with `@Idempotent()` for requests that name an `Idempotency-Key`. */
    idempotency?: IdempotencyScope;
  }
}

const REPLAY_SECONDS = 24 * 3_600;
/** For answers that show a token: long enough for a retry, and not for an archive. */
const TOKEN_REPLAY_SECONDS = 600;
const RETRY_AFTER_SECONDS = 1;

/** What is sealed: the rest of the answer (status, `Location`) follows from the route and the body. */
interface StoredAnswer {
  body: object;
  /** The entity tag, with its quotes. */
  etag?: string;
  /** Where the answer shows a token: what its caller was permitted then, and must be to see it again. */
  held?: string[];
}

/**
 * Makes the work of a transaction happen once for one `Idempotency-Key`: `database.tenant(id, idempotent(actor, async (tx) => …))`.
 * The answer that `work` gives commits together with its change, sealed; the same request again gets that answer, and
 * `work` is not called. Work that throws leaves nothing behind. Whatever follows the transaction (mail) happens on a
 * replay as well, unless it asks `isReplay(actor)`. Without the header `work` is all there is.
 * Errors: 409 `idempotency_in_flight` with `Retry-After`, 422 `idempotency_key_reused`, 403 `grant_exceeds_permissions`
 * for a token that was given to more permissions than the caller has left, those of `work`.
 */
export function idempotent<T extends object>(
  actor: Actor,
  work: (tx: Tx) => Promise<T>,
): (tx: Tx) => Promise<T> {
  const scope = actor.request?.idempotency;
  if (scope === undefined) return work;
  return async (tx) => {
    await takeTurn(tx, scope);
    const stored = await find(tx, scope);
    if (stored !== undefined) {
      const { body, etag, held } = JSON.parse(scope.open(stored)) as StoredAnswer;
      if (held !== undefined) requireHeld(actor, held);
      scope.outcome = 'replayed';
      return (etag === undefined ? body : taggedWith(body, etag)) as T;
    }
    const answer = await work(tx);
    await store(tx, scope, actor, answer);
    scope.outcome = 'stored';
    return answer;
  };
}

/** Whether this caller got the answer of an earlier request, so that nothing was done now. */
export function isReplay({ request }: Actor): boolean {
  return request?.idempotency?.outcome === 'replayed';
}

/** Held until the transaction ends, by PgBouncer's rules too. PGlite's transactions queue: there, nobody is in flight. */
async function takeTurn(tx: Tx, scope: IdempotencyScope): Promise<void> {
  const { organizationId, credentialId, keyHash } = scope;
  const place = `idempotency:${organizationId}:${credentialId}:${keyHash.toString('hex')}`;
  const [row] = await tx.$queryRaw<{ taken: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtextextended(${place}, 0)) AS taken`;
  if (row?.taken) return;
  throw new Problem(
    409,
    'idempotency_in_flight',
    'The first request with this Idempotency-Key is still being worked on: try again.',
    { headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) } },
  );
}

/** A statement of its own after the lock: only so does it see what the holder before has committed. */
async function find(tx: Tx, scope: IdempotencyScope): Promise<Uint8Array | undefined> {
  const { organizationId, credentialId, keyHash, fingerprint } = scope;
  const [row] = await tx.$queryRaw<{ fingerprint: Uint8Array; answer: Uint8Array }[]>`
    SELECT fingerprint, answer FROM idempotency_records
    WHERE organization_id = ${organizationId} AND credential_id = ${credentialId} AND key_hash = ${keyHash}
      AND expires_at > clock_timestamp()`;
  if (row === undefined) return undefined;
  if (sameHash(row.fingerprint, fingerprint)) return row.answer;
  throw new Problem(
    422,
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request: take a new one for a new request.',
  );
}

async function store(
  tx: Tx,
  scope: IdempotencyScope,
  { permissions }: Actor,
  body: object,
): Promise<void> {
  const { organizationId, credentialId, keyHash, fingerprint } = scope;
  const text = JSON.stringify(body);
  const showsToken = redactTokens(text) !== text;
  const held = showsToken ? [...permissions] : undefined;
  const stored: StoredAnswer = { body, etag: entityTagOf(body), held };
  const answer = scope.seal(JSON.stringify(stored));
  const seconds = showsToken ? TOKEN_REPLAY_SECONDS : REPLAY_SECONDS;
  await tx.$executeRaw`
    INSERT INTO idempotency_records (organization_id, credential_id, key_hash, fingerprint, answer, expires_at)
    VALUES (${organizationId}, ${credentialId}, ${keyHash}, ${fingerprint}, ${answer},
      clock_timestamp() + make_interval(secs => ${seconds}::int))
    ON CONFLICT (organization_id, credential_id, key_hash) DO UPDATE
      SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at`;
}
