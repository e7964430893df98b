import type { Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import { notFound } from '../http/problem.js';
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

/** The member as the API shows them. */
export function toUser(member: Member): User {
  const { user, role } = member;
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    role: { key: role.key, name: role.name },
    status: member.status,
    attributes: member.attributes as Attributes,
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
    createdAt: member.createdAt.toISOString(),
    createdBy: {
      type: member.createdByType,
      id: member.createdById,
      name: member.createdByName,
    },
  };
}
