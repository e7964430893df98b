import type { Tx } from '../database/database.service.js';
import { containing, keyset } from '../database/keyset.js';
import { Prisma } from '../generated/prisma/client.js';
import { type Member, MEMBER_INCLUDE } from './member.js';
import type { UsersQuery } from './users.dto.js';

/** As `toUser` shows them: neither order nor search tell the own name, or the last login, of somebody who has not accepted. */
const SHOWN_NAME = Prisma.sql`coalesce(m.invited_name, u.name)`;
const SHOWN_LOGIN = Prisma.sql`CASE WHEN m.invited_name IS NULL THEN u.last_login_at END`;

const SORT_KEYS = {
  createdAt: { expression: Prisma.sql`m.created_at`, type: 'timestamptz' },
  name: { expression: Prisma.sql`lower(${SHOWN_NAME})`, type: 'text' },
  email: { expression: Prisma.sql`u.email`, type: 'text' },
  lastLoginAt: {
    expression: Prisma.sql`coalesce(${SHOWN_LOGIN}, '-infinity'::timestamptz)`,
    type: 'timestamptz',
  },
} as const;

/** A member in a list, with their place in the list's order. */
export type ListedMember = Member & { position: string };

/** `limit + 1` members that match the query, in its order, after the position given. */
export async function listMembers(
  tx: Tx,
  organizationId: string,
  { status, role, search, sort = 'createdAt', limit }: UsersQuery,
  after: unknown[] | undefined,
): Promise<ListedMember[]> {
  const { position, beyond, orderBy } = keyset(sort, SORT_KEYS, Prisma.sql`m.user_id`, after);
  const conditions = [Prisma.sql`m.organization_id = ${organizationId}`, beyond];
  if (status !== undefined) conditions.push(Prisma.sql`m.status = ${status}`);
  if (role !== undefined) conditions.push(Prisma.sql`m.role_key = ${role}`);
  if (search !== undefined) {
    const pattern = containing(search);
    conditions.push(Prisma.sql`(${SHOWN_NAME} ILIKE ${pattern} OR u.email ILIKE ${pattern})`);
  }
  const places = await tx.$queryRaw<{ userId: string; position: string }[]>`
    SELECT m.user_id AS "userId", ${position} AS "position"
    FROM memberships m JOIN users u ON u.id = m.user_id
    WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY ${orderBy} LIMIT ${limit + 1}`;
  const members = await tx.membership.findMany({
    where: { organizationId, userId: { in: places.map(({ userId }) => userId) } },
    include: MEMBER_INCLUDE,
  });
  const byUser = new Map(members.map((member) => [member.userId, member]));
  return places.flatMap(({ userId, position }) => {
    const member = byUser.get(userId);
    return member === undefined ? [] : [{ ...member, position }];
  });
}
