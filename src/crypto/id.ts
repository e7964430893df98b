import { randomUUID } from 'node:crypto';
import { TypeID, typeid } from 'typeid-js';

/** What an id names: the part of a TypeID before its underscore. */
export type IdPrefix = 'org' | 'usr' | 'sa' | 'key' | 'ses' | 'inv' | 'evt' | 'req' | 'stp' | 'rst';

/** Length of the part of a TypeID after its prefix and underscore. */
export const ID_SUFFIX_LENGTH = 26;

/** 128 bits in Crockford's base32, lower case: the first character holds three bits only. */
const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Makes a TypeID: the prefix and a UUIDv7 in base32 (https://github.com/jetify-com/typeid).
 * Ids of one process sort by the time they were made. An id is no secret and may be logged.
 */
export function newId(prefix: IdPrefix): string {
  return typeid(prefix).toString();
}

/**
 * Makes the id of a person, from a UUIDv4: the time in a UUIDv7 would tell an organization that the
 * person whom it has just invited was there before.
 */
export function newPersonId(): string {
  return TypeID.fromUUID('usr', randomUUID()).toString();
}

/**
 * Says whether `text` is a TypeID with exactly this prefix. Strict, because ids come from URLs: no upper
 * case, no look-alike letters, no white space around it. It says nothing about the thing's existence.
 */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && SUFFIX.test(text.slice(prefix.length + 1));
}
