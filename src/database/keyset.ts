import { Prisma } from '../generated/prisma/client.js';

/** What a list can be sorted by. */
export interface SortKey {
  /** An SQL expression that is never null. */
  expression: Prisma.Sql;
  /** The type that positions are compared as. */
  type: 'text' | 'timestamptz';
}

/** The parts of a statement that reads one page of a list. */
export interface Keyset {
  /** To be selected as `position`: the row's place in the order, as text. */
  position: Prisma.Sql;
  /** The condition that leaves out all pages before. */
  beyond: Prisma.Sql;
  /** What follows ORDER BY. Ties are broken by id, so the order is the same on every page. */
  orderBy: Prisma.Sql;
}

/**
 * Pages by position instead of by offset, so that rows made meanwhile neither repeat nor hide others.
 * @param sort the name of one of `keys`, after a `-` when descending
 * @param id the unique column that breaks ties
 * @param after position and id of the last row of the page before
 */
export function keyset<Name extends string>(
  sort: Name | `-${Name}`,
  keys: Record<Name, SortKey>,
  id: Prisma.Sql,
  after: unknown[] | undefined,
): Keyset {
  const isDescending = sort.startsWith('-');
  const { expression, type } = keys[(isDescending ? sort.slice(1) : sort) as Name];
  const direction = isDescending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const past = isDescending ? Prisma.sql`<` : Prisma.sql`>`;
  const [position, lastId] = after ?? [];
  return {
    position: Prisma.sql`(${expression})::text`,
    beyond:
      after === undefined
        ? Prisma.sql`true`
        : Prisma.sql`(${expression}, ${id}) ${past} (${position}::text::${Prisma.raw(type)}, ${lastId}::text)`,
    orderBy: Prisma.sql`${expression} ${direction}, ${id} ${direction}`,
  };
}

/** The pattern for ILIKE that finds this very text anywhere: its own `%`, `_` and `\` mean themselves. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
