import type { ChangeDetails } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { requireHeld } from '../auth/grant.js';
import type { Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import { type Tagged, tagged } from '../http/entity-tag.js';
import { notFound } from '../http/problem.js';
import { findRole } from '../roles/find-role.js';
import type { Attributes } from './attributes.js';
import type { User } from './users.dto.js';

/** What a tenant may see of a member; the other columns of `users` are closed to it. */
export const MEMBER_INCLUDE = {
  user: { select: { id: true, email: true, name: true, lastLoginAt: true } },
  role: { select: { key: true, name: true } },
} as const satisfies Prisma.MembershipInclude;

/** A membership with its person and role. */
export type Member = Prisma.MembershipGetPayload<{ include: typeof MEMBER_INCLUDE }>;

/** One member. Errors: 404. */
export async function findMember(tx: Tx, organizationId: string, userId: string): Promise<Member> {
  const member = await tx.membership.findUnique({
    where: { organizationId_userId: { organizationId, userId } },
    include: MEMBER_INCLUDE,
  });
  if (member === null) throw notFound('user');
  return member;
}

/** One member, locked until the transaction ends. Errors: 404. */
export async function lockMember(tx: Tx, organizationId: string, userId: string): Promise<Member> {
  await tx.$queryRaw`SELECT user_id FROM memberships
    WHERE organization_id = ${organizationId} AND user_id = ${userId} FOR UPDATE`;
  return findMember(tx, organizationId, userId);
}

/** Whoever has more permissions than the caller is out of reach. Errors: 403. */
export async function requireRoleHeld(tx: Tx, actor: Actor, member: Member): Promise<void> {
  const role = await findRole(tx, member.organizationId, member.roleKey);
  requireHeld(actor, role?.permissions ?? []);
}

/**
 * The name under which the organization knows a member: the inviter's until the invitation is
 * accepted, so that it does not tell whether the person was there before.
 */
export function shownName({ invitedName, user }: Member): string {
  return invitedName ?? user.name;
}

/** What an event about a member says: the chain, and the member as the organization knows them. */
export function aboutMember(
  member: Member,
): Pick<ChangeDetails, 'targets'> & { organizationId: string } {
  const { organizationId, userId: id } = member;
  return { organizationId, targets: [{ type: 'user', id, name: shownName(member) }] };
}

/** The member as the API shows them; a login does not move the entity tag. */
export function toUser(member: Member): Tagged<User> {
  const { user, role } = member;
  const lastLoginAt = member.invitedName === null ? user.lastLoginAt : null;
  const shown: User = {
    id: user.id,
    email: user.email,
    name: shownName(member),
    role: { key: role.key, name: role.name },
    status: member.status,
    attributes: member.attributes as Attributes,
    lastLoginAt: lastLoginAt?.toISOString() ?? null,
    createdAt: member.createdAt.toISOString(),
    createdBy: {
      type: member.createdByType,
      id: member.createdById,
      name: member.createdByName,
    },
  };
  return tagged(shown, member.version, ['lastLoginAt']);
}
