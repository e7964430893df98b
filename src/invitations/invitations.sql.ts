import type { Actor } from '../auth/actor.js';
import { type CreatorColumns, creatorOf } from '../auth/created-by.dto.js';
import { isId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { containing, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { notFound } from '../http/problem.js';
import type { Member } from '../users/member.js';
import type { MintedInvitation } from './invitation-token.js';
import type { InvitationsQuery, InvitationStatus } from './invitations.dto.js';

/** An invitation as the statements here read it. */
export interface InvitationRow extends CreatorColumns {
  id: string;
  userId: string;
  email: string;
  roleKey: string;
  roleName: string;
  status: InvitationStatus;
  expiresAt: Date;
  createdAt: Date;
  version: number;
}

/** Neither accepted nor revoked; it may have expired. */
const WAITS = Prisma.sql`(i.accepted_at IS NULL AND i.revoked_at IS NULL)`;

/** The status by the database's clock: the statement's own time, as in a filter beside it. */
const STATUS = Prisma.sql`CASE
  WHEN i.accepted_at IS NOT NULL THEN 'accepted'
  WHEN i.revoked_at IS NOT NULL THEN 'revoked'
  WHEN i.expires_at <= statement_timestamp() THEN 'expired'
  ELSE 'pending' END`;

/** The role of one that waits is the membership's, which may change; a role may be gone later. */
const SELECT = Prisma.sql`
  i.id, i.user_id AS "userId", i.email, coalesce(m.role_key, i.role_key) AS "roleKey",
  coalesce(r.name, m.role_key, i.role_key) AS "roleName", ${STATUS} AS "status",
  i.expires_at AS "expiresAt", i.created_at AS "createdAt", i.created_by_type AS "createdByType",
  i.created_by_id AS "createdById", i.created_by_name AS "createdByName", i.version`;
const FROM = Prisma.sql`
  FROM invitations i
  LEFT JOIN memberships m ON m.organization_id = i.organization_id AND m.user_id = i.user_id AND ${WAITS}
  LEFT JOIN roles r ON r.organization_id = i.organization_id AND r.key = coalesce(m.role_key, i.role_key)`;

const SORT_KEYS = {
  createdAt: { expression: Prisma.sql`i.created_at`, type: 'timestamptz' },
  expiresAt: { expression: Prisma.sql`i.expires_at`, type: 'timestamptz' },
  email: { expression: Prisma.sql`i.email`, type: 'text' },
} as const;

/** An invitation in a list, with its place in the list's order. */
export type ListedInvitation = InvitationRow & { position: string };

/** `limit + 1` invitations that match the query, in its order, after the position given. */
export function selectInvitations(
  tx: Tx,
  organizationId: string,
  { status, search, sort = '-createdAt', limit }: InvitationsQuery,
  after: unknown[] | undefined,
): Promise<ListedInvitation[]> {
  const { position, beyond, orderBy } = keyset(sort, SORT_KEYS, Prisma.sql`i.id`, after);
  const conditions = [Prisma.sql`i.organization_id = ${organizationId}`, beyond];
  if (status !== undefined) conditions.push(Prisma.sql`${STATUS} = ${status}`);
  if (search !== undefined) conditions.push(Prisma.sql`i.email ILIKE ${containing(search)}`);
  return tx.$queryRaw<ListedInvitation[]>`
    SELECT ${SELECT}, ${position} AS "position" ${FROM}
    WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY ${orderBy} LIMIT ${limit + 1}`;
}

/** One invitation. Errors: 404. */
export async function readInvitation(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<InvitationRow> {
  const [row] = isId('inv', id)
    ? await tx.$queryRaw<InvitationRow[]>`
        SELECT ${SELECT} ${FROM} WHERE i.organization_id = ${organizationId} AND i.id = ${id}`
    : [];
  if (row === undefined) throw notFound('invitation');
  return row;
}

/**
 * One invitation, locked until the transaction ends. The membership is locked first: whoever changes
 * both takes them in this order. Errors: 404.
 */
export async function lockInvitation(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<InvitationRow> {
  const { userId } = await readInvitation(tx, organizationId, id);
  await tx.$queryRaw`SELECT user_id FROM memberships
    WHERE organization_id = ${organizationId} AND user_id = ${userId} FOR UPDATE`;
  await tx.$queryRaw`SELECT id FROM invitations
    WHERE organization_id = ${organizationId} AND id = ${id} FOR UPDATE`;
  return readInvitation(tx, organizationId, id);
}

const LIFETIME = Prisma.sql`(clock_timestamp() + interval '7 days')`;

/** Invites somebody who has just become a member of status `invited`, for 7 days. */
export async function insertInvitation(
  tx: Tx,
  actor: Actor,
  { organizationId, userId, roleKey, user: { email } }: Member,
  { id, stored }: MintedInvitation,
): Promise<InvitationRow> {
  const { createdByType, createdById, createdByName } = creatorOf(actor);
  await tx.$executeRaw`
    INSERT INTO invitations (organization_id, id, user_id, email, role_key, token_hash, mail_token_hash,
      pepper_version, expires_at, created_by_type, created_by_id, created_by_name)
    VALUES (${organizationId}, ${id}, ${userId}, ${email}, ${roleKey}, ${stored.tokenHash},
      ${stored.mailTokenHash}, ${stored.pepperVersion}, ${LIFETIME}, ${createdByType}, ${createdById},
      ${createdByName})`;
  return readInvitation(tx, organizationId, id);
}

/** Gives a waiting invitation other tokens, and 7 days from now; the old ones are void. */
export async function renewInvitation(
  tx: Tx,
  organizationId: string,
  { id, stored }: MintedInvitation,
): Promise<InvitationRow> {
  await tx.$executeRaw`
    UPDATE invitations SET token_hash = ${stored.tokenHash}, mail_token_hash = ${stored.mailTokenHash},
      pepper_version = ${stored.pepperVersion}, mailed_at = NULL, expires_at = ${LIFETIME}, updated_at = clock_timestamp(), version = version + 1
    WHERE organization_id = ${organizationId} AND id = ${id}`;
  return readInvitation(tx, organizationId, id);
}

/**
 * Notes that the mail server has taken the mail with this token. Answers the name of the member, or undefined when the
 * invitation has other tokens by now, or its member is gone. What an entity tag covers does not change.
 */
export async function noteMailed(
  tx: Tx,
  organizationId: string,
  { id, stored }: MintedInvitation,
): Promise<string | undefined> {
  const [row] = await tx.$queryRaw<{ name: string }[]>`
    UPDATE invitations i SET mailed_at = clock_timestamp()
    FROM memberships m JOIN users u ON u.id = m.user_id
    WHERE i.organization_id = ${organizationId} AND i.id = ${id} AND i.mail_token_hash = ${stored.mailTokenHash}
      AND m.organization_id = i.organization_id AND m.user_id = i.user_id
    RETURNING coalesce(m.invited_name, u.name) AS "name"`;
  return row?.name;
}

/** Whether the mail server has taken the mail with the tokens that an invitation has now. */
export async function wasMailed(tx: Tx, organizationId: string, id: string): Promise<boolean> {
  const row = await tx.invitation.findUnique({
    where: { organizationId_id: { organizationId, id } },
    select: { mailedAt: true },
  });
  return row?.mailedAt != null;
}

/** Revokes the invitation of a member, if one waits. The member is locked. */
export async function revokeWaiting(
  tx: Tx,
  { organizationId, userId }: Pick<Member, 'organizationId' | 'userId'>,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE invitations i SET revoked_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1
    WHERE organization_id = ${organizationId} AND user_id = ${userId} AND ${WAITS}`;
}
