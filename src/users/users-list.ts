import type { Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import { type Member, MEMBER_INCLUDE } from './member.js';
import type { UsersQuery } from './users.dto.js';

type Column = 'createdAt' | 'name' | 'email';
type Direction = 'asc' | 'desc';
type Position = [value: string, userId: string];

/** `limit + 1` members that match the query, in its order, after `position`. */
export function listMembers(
  tx: Tx,
  organizationId: string,
  query: UsersQuery,
  position: Position | undefined,
): Promise<Member[]> {
  const { column, direction } = orderOf(query);
  return tx.membership.findMany({
    where: {
      organizationId,
      AND: [
        query.status === undefined ? {} : { status: query.status },
        query.role === undefined ? {} : { roleKey: query.role },
        query.search === undefined ? {} : matching(query.search),
        position === undefined ? {} : beyond(column, direction, position),
      ],
    },
    include: MEMBER_INCLUDE,
    orderBy: [
      column === 'createdAt' ? { createdAt: direction } : { user: { [column]: direction } },
      { userId: direction },
    ],
    take: query.limit + 1,
  });
}

/** Where a member stands in the query's order. */
export function positionOf(member: Member, query: UsersQuery): Position {
  const { column } = orderOf(query);
  const value = column === 'createdAt' ? member.createdAt.toISOString() : member.user[column];
  return [value, member.userId];
}

function orderOf({ sort = 'createdAt' }: UsersQuery): { column: Column; direction: Direction } {
  const isDescending = sort.startsWith('-');
  return {
    column: (isDescending ? sort.slice(1) : sort) as Column,
    direction: isDescending ? 'desc' : 'asc',
  };
}

function beyond(
  column: Column,
  direction: Direction,
  [value, userId]: Position,
): Prisma.MembershipWhereInput {
  const past = direction === 'asc' ? 'gt' : 'lt';
  const tie = { userId: { [past]: userId } };
  if (column === 'createdAt') {
    const start = new Date(value);
    return { OR: [{ createdAt: { [past]: start } }, { createdAt: start, ...tie }] };
  }
  return {
    OR: [{ user: { [column]: { [past]: value } } }, { user: { [column]: value }, ...tie }],
  };
}

function matching(search: string): Prisma.MembershipWhereInput {
  // Prisma hands `%`, `_` and `\` through to ILIKE as they are.
  const contains = search.replace(/[\\%_]/g, '\\$&');
  const filter = { contains, mode: 'insensitive' as const };
  return { OR: [{ user: { name: filter } }, { user: { email: filter } }] };
}
