import { createHmac, timingSafeEqual } from 'node:crypto';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { invalid, type Problem } from './problem.js';
import { IntegerParam, Optional } from './validators.js';

/** How many rows a list answers when nobody asks for a number. */
export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

const TAG_BYTES = 16;
/** A longer cursor is not made, and not taken. */
export const MAX_CURSOR_LENGTH = 2048;
/** What cursors consist of, as the source of a regular expression. */
export const CURSOR_PATTERN = '^[A-Za-z0-9_-]+$';

/** The query parameters that every list has. Lists with filters extend it. */
export class PageQuery {
  @IntegerParam({ min: 1, max: MAX_LIMIT, default: DEFAULT_LIMIT, description: 'How many items.' })
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({
    description: 'The opaque `paging.next.after` of the page before.',
    maxLength: MAX_CURSOR_LENGTH,
    pattern: CURSOR_PATTERN,
  })
  @Optional()
  @IsString()
  @MaxLength(MAX_CURSOR_LENGTH)
  after?: string;
}

/** One page of a list. `next` is absent on the last one. */
export interface Page<T> {
  data: T[];
  paging: { next?: { after: string } };
}

/** Where a list is to be continued: the codec of this server and the list's scope. */
export interface PageCursor<Row> {
  codec: CursorCodec;
  /** Organization, list, sort and filters: see `cursorScope`. */
  scope: string;
  /** The values of the sort columns of a row, the last of them unique. */
  toPosition: (row: Row) => unknown[];
}

/**
 * Opaque cursors: base64url of the JSON position and a tag, HMAC-SHA-256 over scope and position cut to 16 bytes. A cursor
 * that was changed, or that another organization, list, order or filter gave out, is refused.
 */
export class CursorCodec {
  /** @param key 32 bytes, `secret.derive('cursor')`: every instance of a server must have the same. */
  constructor(private readonly key: Buffer) {}

  encode(scope: string, position: unknown[]): string {
    const json = Buffer.from(JSON.stringify(position), 'utf8');
    // The tag comes last: a cursor that began with `-` would get a quote before it in a cell of CSV.
    return Buffer.concat([json, this.tag(scope, json)]).toString('base64url');
  }

  /** @throws Problem 400 on `/after` */
  decode(scope: string, cursor: string): unknown[] {
    // Buffer.from skips what is not base64url; only the one canonical spelling is a cursor.
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length <= TAG_BYTES || bytes.toString('base64url') !== cursor) throw badCursor();
    const json = bytes.subarray(0, -TAG_BYTES);
    if (!timingSafeEqual(this.tag(scope, json), bytes.subarray(-TAG_BYTES))) throw badCursor();
    return JSON.parse(json.toString('utf8')) as unknown[];
  }

  private tag(scope: string, json: Buffer): Buffer {
    return createHmac('sha256', this.key)
      .update(`${Buffer.byteLength(scope)}:${scope}`)
      .update(json)
      .digest()
      .subarray(0, TAG_BYTES);
  }
}

/**
 * The scope of a cursor: what must be the same on the next page. Filters in any order give the same scope, absent ones
 * count for nothing.
 */
export function cursorScope(
  organizationId: string,
  list: string,
  filters: Record<string, unknown> = {},
): string {
  const present = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([organizationId, list, present]);
}

/** Makes a page from the `limit + 1` rows that were asked for: one row too many means that there is a next page. */
export function page<Row>(rows: Row[], limit: number, cursor: PageCursor<Row>): Page<Row> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  if (rows.length <= limit || last === undefined) return { data, paging: {} };
  const after = cursor.codec.encode(cursor.scope, cursor.toPosition(last));
  return { data, paging: { next: { after } } };
}

/** The same page with its items shown another way. */
export function mapPage<Row, T>(source: Page<Row>, toItem: (row: Row) => T): Page<T> {
  return { data: source.data.map(toItem), paging: source.paging };
}

function badCursor(): Problem {
  return invalid({
    pointer: '/after',
    code: 'invalid_cursor',
    detail: 'Use the value of paging.next.after of this very list, with the same filters and sort.',
  });
}
