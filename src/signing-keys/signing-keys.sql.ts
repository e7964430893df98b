import { MAX_ACCESS_TOKEN_SECONDS } from '../config.js';
import type { Tx } from '../database/database.service.js';
import { Prisma } from '../generated/prisma/client.js';
import type { SealedKeyPair } from './sealed-key.js';
import type { SigningKeyStatus } from './signing-keys.dto.js';

/** A key signs for so long, and until its successor does. */
const SIGNS_DAYS = 90;
/** Published so long before it signs: six times as long as a JWKS may be cached. */
const PUBLISHED_AHEAD_SECONDS = 3_600;
/** A request that has read who signs may sign a moment later; clocks of verifiers may be behind. */
const MARGIN_SECONDS = 600;
/** The longest life of a token, and what is added to it. */
const VERIFIES_LONGER_SECONDS = MAX_ACCESS_TOKEN_SECONDS + MARGIN_SECONDS;
/** Keys that verify nothing any more are shown for so long. */
const REMEMBERED_DAYS = 90;

/** A signing key as it is read for the API. */
export interface SigningKeyRow {
  kid: string;
  /** By the database's clock. */
  status: SigningKeyStatus;
  createdAt: Date;
  signsFrom: Date;
  signsUntil: Date | null;
  verifiesUntil: Date | null;
  revokedAt: Date | null;
}

/** The key that signs now. */
export interface Signer {
  kid: string;
  sealedPrivateKey: Uint8Array;
  /** It has signed long enough, and has no successor. */
  isDue: boolean;
  /** What time it is, in Unix seconds. */
  now: number;
}

/** What the lock is called. */
const SIGNING_KEYS = Prisma.sql`hashtextextended('claviger:signing-keys', 0)`;

/** One at a time makes keys, on all instances. Held until the transaction ends. */
export async function lockSigningKeys(tx: Tx): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(${SIGNING_KEYS})::text`;
}

/**
 * Waits for whoever makes keys, and keeps others from it until the transaction ends. Whoever makes a chain takes it first:
 * {@link raiseAllEpochs} cannot see what has not been committed.
 */
export async function shareSigningKeys(tx: Tx): Promise<void> {
  await tx.$queryRaw`SELECT pg_advisory_xact_lock_shared(${SIGNING_KEYS})::text`;
}

/** The key that signs now, by the database's clock; undefined before there is any. */
export async function readSigner(tx: Tx): Promise<Signer | undefined> {
  const [row] = await tx.$queryRaw<Signer[]>`
    SELECT kid, sealed_private_key AS "sealedPrivateKey",
      signs_until IS NULL AND signs_from <= clock_timestamp() - make_interval(days => ${SIGNS_DAYS}::int) AS "isDue",
      floor(extract(epoch FROM clock_timestamp()))::float8 AS "now"
    FROM signing_keys
    WHERE revoked_at IS NULL AND sealed_private_key IS NOT NULL AND signs_from <= clock_timestamp()
      AND (signs_until IS NULL OR signs_until > clock_timestamp())
    ORDER BY signs_from DESC LIMIT 1`;
  return row;
}

/** All keys, newest first. */
export function readSigningKeys(tx: Tx, kid?: string): Promise<SigningKeyRow[]> {
  const which = kid === undefined ? Prisma.empty : Prisma.sql`WHERE kid = ${kid}`;
  return tx.$queryRaw<SigningKeyRow[]>`
    SELECT kid, created_at AS "createdAt", signs_from AS "signsFrom", signs_until AS "signsUntil",
      verifies_until AS "verifiesUntil", revoked_at AS "revokedAt",
      CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
        WHEN verifies_until <= statement_timestamp() THEN 'expired'
        WHEN signs_until <= statement_timestamp() THEN 'verifying'
        WHEN signs_from > statement_timestamp() THEN 'next'
        ELSE 'signing' END AS "status"
    FROM signing_keys ${which} ORDER BY created_at DESC, kid`;
}

/**
 * Stores a key as the last one. It signs once every verifier has had the time to see it, and the one before signs until
 * then; with `atOnce`, where there is none before, it signs now.
 */
export async function insertSigningKey(
  tx: Tx,
  pair: SealedKeyPair,
  atOnce: boolean,
): Promise<void> {
  const ahead = atOnce ? 0 : PUBLISHED_AHEAD_SECONDS;
  const signsFrom = Prisma.sql`now() + make_interval(secs => ${ahead}::int)`;
  await tx.$executeRaw`
    UPDATE signing_keys SET signs_until = ${signsFrom},
      verifies_until = ${signsFrom} + make_interval(secs => ${VERIFIES_LONGER_SECONDS}::int)
    WHERE signs_until IS NULL`;
  await tx.$executeRaw`
    INSERT INTO signing_keys (kid, public_key, sealed_private_key, pepper_version, created_at, signs_from)
    VALUES (${pair.kid}, ${JSON.stringify(pair.publicKey)}::jsonb, ${pair.sealedPrivateKey}, ${pair.pepperVersion},
      now(), ${signsFrom})`;
}

/** Revokes all keys that sign or verify, or would have; answers which. */
export function revokeSigningKeys(tx: Tx): Promise<{ kid: string }[]> {
  return tx.$queryRaw`
    UPDATE signing_keys SET revoked_at = now(), sealed_private_key = NULL,
      signs_until = least(signs_until, now()), verifies_until = now()
    WHERE revoked_at IS NULL AND (verifies_until IS NULL OR verifies_until > now())
    RETURNING kid`;
}

/**
 * Ends whatever any instance has cached about credentials of any organization. Needs the lock on the signing keys, so that
 * no organization is being made. Whoever holds a chain's head needs nothing else, so this waits for nobody who waits for it.
 */
export async function raiseAllEpochs(tx: Tx): Promise<void> {
  await tx.$executeRaw`UPDATE audit_heads SET auth_epoch = auth_epoch + 1`;
}

/** Destroys private keys that sign no more, and forgets what has verified nothing for long. */
export async function tidySigningKeys(tx: Tx): Promise<void> {
  await tx.$executeRaw`UPDATE signing_keys SET sealed_private_key = NULL
    WHERE sealed_private_key IS NOT NULL AND signs_until <= now() - make_interval(secs => ${MARGIN_SECONDS}::int)`;
  await tx.$executeRaw`DELETE FROM signing_keys
    WHERE verifies_until <= now() - make_interval(days => ${REMEMBERED_DAYS}::int)`;
}
