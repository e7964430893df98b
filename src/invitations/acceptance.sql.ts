import type { Tx } from '../database/database.service.js';
import { Prisma } from '../generated/prisma/client.js';

/** What the acceptance of an invitation rests on. */
export interface OpenInvitation {
  id: string;
  organizationId: string;
  tokenHash: Uint8Array;
  /** Null for invitations from before there was one. */
  mailTokenHash: Uint8Array | null;
  userId: string;
  email: string;
  /** The person's own name. */
  name: string;
  /**
   * Nobody can be asked for a password yet, and nothing elsewhere would be opened by setting one.
   * Whoever invites holds the token too, so an invitation must not open another organization.
   */
  isNew: boolean;
}

/**
 * An invitation that waits and has not expired by the database's clock, into an organization that is
 * active; in a transaction of `database.system()`, because only the token tells the organization.
 */
export async function findOpenInvitation(tx: Tx, id: string): Promise<OpenInvitation | undefined> {
  const [row] = await tx.$queryRaw<OpenInvitation[]>`
    SELECT i.id, i.organization_id AS "organizationId", i.token_hash AS "tokenHash",
      i.mail_token_hash AS "mailTokenHash", u.id AS "userId", u.email, u.name,
      u.password_hash IS NULL AND NOT u.instance_administrator AND NOT EXISTS (
        SELECT FROM memberships e JOIN organizations eo ON eo.id = e.organization_id AND eo.deleted_at IS NULL
        WHERE e.user_id = u.id AND e.status <> 'invited'
      ) AS "isNew"
    FROM invitations i
    JOIN organizations o ON o.id = i.organization_id AND o.deleted_at IS NULL AND o.status = 'active'
    JOIN memberships m ON m.organization_id = i.organization_id AND m.user_id = i.user_id AND m.status = 'invited'
    JOIN users u ON u.id = i.user_id
    WHERE i.id = ${id} AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND i.expires_at > clock_timestamp()`;
  return row;
}

/**
 * The same, with membership, invitation and person locked in this order until the transaction ends:
 * of several who accept at once one finds it, and the person's password stays as it is.
 */
export async function lockOpenInvitation(
  tx: Tx,
  { id, organizationId, userId }: OpenInvitation,
): Promise<OpenInvitation | undefined> {
  await tx.$queryRaw`SELECT user_id FROM memberships
    WHERE organization_id = ${organizationId} AND user_id = ${userId} FOR UPDATE`;
  await tx.$queryRaw`SELECT id FROM invitations WHERE id = ${id} FOR UPDATE`;
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR NO KEY UPDATE`;
  return findOpenInvitation(tx, id);
}

/** The first password of a person, with the name they give themselves, if any. */
export interface FirstPassword {
  passwordHash: string;
  name: string | undefined;
}

/**
 * Makes the member active and ends the invitation; a new person gets their password. With the token of the mail (`byMail`)
 * the e-mail is the person's from now on.
 */
export async function acceptOpenInvitation(
  tx: Tx,
  { id, organizationId, userId }: OpenInvitation,
  { byMail, first }: { byMail: boolean; first: FirstPassword | undefined },
): Promise<void> {
  await tx.$executeRaw`
    UPDATE memberships SET status = 'active', invited_name = NULL, accepted_at = clock_timestamp(),
      updated_at = clock_timestamp(), version = version + 1
    WHERE organization_id = ${organizationId} AND user_id = ${userId}`;
  await tx.$executeRaw`
    UPDATE invitations SET accepted_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1
    WHERE id = ${id}`;
  if (byMail) {
    await tx.$executeRaw`UPDATE users SET email_verified_at = clock_timestamp() WHERE id = ${userId}`;
  }
  if (first === undefined) return;
  const name = first.name === undefined ? Prisma.sql`name` : Prisma.sql`${first.name}`;
  await tx.$executeRaw`
    UPDATE users SET password_hash = ${first.passwordHash}, name = ${name}, updated_at = clock_timestamp(), version = version + 1
    WHERE id = ${userId}`;
}
