import type { Tx } from '../database/database.service.js';

/** Somebody whose password may be reset. */
export interface ResetPerson {
  id: string;
  email: string;
  name: string;
}

/** A new reset, as it is stored. */
export interface NewReset {
  /** `rst_…` */
  id: string;
  tokenHash: Uint8Array<ArrayBuffer>;
  pepperVersion: number;
}

/**
 * Makes a reset for an hour by the database's clock, voids the person's earlier ones, and answers
 * whom to mail: nobody when nobody has this e-mail (in lower case). The statements are the same
 * either way.
 */
export async function insertReset(
  tx: Tx,
  email: string,
  { id, tokenHash, pepperVersion }: NewReset,
): Promise<ResetPerson | undefined> {
  const [person] = await tx.$queryRaw<ResetPerson[]>`
    SELECT id, email, name FROM users WHERE email = ${email} FOR NO KEY UPDATE`;
  const userId = person?.id ?? null;
  await tx.$executeRaw`
    INSERT INTO password_resets (id, user_id, token_hash, pepper_version, expires_at, created_at)
    SELECT ${id}, u.id, ${tokenHash}, ${pepperVersion}, clock_timestamp() + interval '1 hour', clock_timestamp()
    FROM users u WHERE u.id = ${userId}`;
  await tx.$executeRaw`
    UPDATE password_resets SET ended_at = clock_timestamp()
    WHERE user_id = ${userId} AND id <> ${id} AND ended_at IS NULL`;
  return person;
}

/** A reset that can still be used. */
export interface OpenReset {
  id: string;
  userId: string;
  email: string;
  /** The person's. */
  name: string;
  tokenHash: Uint8Array;
}

/** A reset that is neither used nor voided nor expired by the database's clock. */
export async function findOpenReset(tx: Tx, id: string): Promise<OpenReset | undefined> {
  const [row] = await tx.$queryRaw<OpenReset[]>`
    SELECT r.id, r.user_id AS "userId", u.email, u.name, r.token_hash AS "tokenHash"
    FROM password_resets r JOIN users u ON u.id = r.user_id
    WHERE r.id = ${id} AND r.ended_at IS NULL AND r.expires_at > clock_timestamp()`;
  return row;
}
