import { createHash } from 'node:crypto';
import { badRequest, Problem } from './problem.js';

const ETAG = Symbol('entity tag');
/** 66 bits: enough that no two states of one resource meet. */
const DIGEST_LENGTH = 11;

/** A body that knows the entity tag of what it shows. The tag is no part of the JSON. */
export type Tagged<T> = T & { readonly [ETAG]: () => string };

/** One entity tag of a condition (RFC 9110 section 8.8.3). */
interface EntityTag {
  /** With its quotes. */
  opaque: string;
  weak: boolean;
}

/**
 * A resource with its entity tag (RFC 9110 section 8.8.3): the row's version and a digest of all that the body shows, so
 * that it also moves with what the row does not say itself, a key's status by the clock or an owner's name.
 * @param leaveOut what changes without anybody changing the resource: when it was last used, how many others refer to it
 */
export function tagged<T extends object>(
  body: T,
  version: number,
  leaveOut: readonly (keyof T & string)[] = [],
): Tagged<T> {
  return withTag(body, () => {
    const ignored = new Set<string>(leaveOut);
    const shown = Object.entries(body).filter(([name]) => !ignored.has(name));
    const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url');
    return `"${version}-${digest.slice(0, DIGEST_LENGTH)}"`;
  });
}

/** A body around a resource, under that resource's tag. */
export function taggedAs<T extends object>(body: T, resource: Tagged<object>): Tagged<T> {
  return withTag(body, resource[ETAG]);
}

/** A body under a tag that is known already, with its quotes. */
export function taggedWith<T extends object>(body: T, tag: string): Tagged<T> {
  return withTag(body, () => tag);
}

/** The body's entity tag with its quotes, or undefined for a body without one. */
export function entityTagOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  return (body as Partial<Tagged<object>>)[ETAG]?.();
}

/** Lists make bodies by the hundred and need no tags: it is computed when asked for. A spread of the body keeps it. */
function withTag<T extends object>(body: T, tag: () => string): Tagged<T> {
  return Object.assign(body, { [ETAG]: tag });
}

/** Whoever asks for a change, as far as its condition is concerned. */
export interface Conditional {
  request: { ifMatch?: string } | null;
}

/**
 * Keeps a change to the version that its caller has seen. To be called once the resource is locked, before anything else
 * is decided about its state; `current` is not asked where there is no condition. Errors: 412 `precondition_failed`,
 * 400 `invalid_if_match`.
 */
export async function requireMatch(
  { request }: Conditional,
  current: () => Tagged<object> | Promise<Tagged<object>>,
): Promise<void> {
  if (request?.ifMatch === undefined) return;
  const condition = parseCondition(request.ifMatch);
  if (condition === undefined) {
    throw badRequest(
      'invalid_if_match',
      'If-Match must be * or entity tags such as "3-Hx0zTzCkAbc".',
    );
  }
  if (condition === '*') return;
  const tag = entityTagOf(await current());
  // Strong comparison (RFC 9110 section 13.1.1): a weak tag never matches.
  if (condition.some(({ opaque, weak }) => !weak && opaque === tag)) return;
  throw new Problem(
    412,
    'precondition_failed',
    'It has changed since you read it: read it again and decide anew.',
  );
}

/**
 * Whether a client has this very state already, by its `If-None-Match`: weak comparison (RFC 9110 section 13.1.2). A header
 * that cannot be understood counts for nothing.
 */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  const condition = ifNoneMatch === undefined ? undefined : parseCondition(ifNoneMatch);
  if (condition === undefined) return false;
  return condition === '*' || condition.some(({ opaque }) => opaque === tag);
}

const LIST_ITEM = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/** `*`, the tags of a condition, or undefined for what is neither. */
function parseCondition(header: string): '*' | EntityTag[] | undefined {
  if (header.trim() === '*') return '*';
  const tags: EntityTag[] = [];
  LIST_ITEM.lastIndex = 0;
  while (LIST_ITEM.lastIndex < header.length) {
    const item = LIST_ITEM.exec(header);
    if (item === null) return undefined;
    if (item[2] !== undefined) tags.push({ opaque: item[2], weak: item[1] !== undefined });
  }
  return tags.length === 0 ? undefined : tags;
}
