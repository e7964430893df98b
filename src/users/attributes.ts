import type { FieldError } from '../http/problem.js';
import { fault } from '../http/validators.js';

/** One value of a user's attributes; times are RFC 3339 strings. */
export type AttributeValue = string | number | boolean;

/** What an organization notes about its users, for its own purposes. */
export type Attributes = Record<string, AttributeValue | AttributeValue[]>;

export const MAX_ATTRIBUTES = 64;
export const MAX_ATTRIBUTE_ITEMS = 64;
export const MAX_ATTRIBUTE_LENGTH = 1_000;

const KEY = /^[a-zA-Z0-9._/-]{1,63}$/;

/** The faults of `attributes`, with pointers relative to the whole; pure. */
export function attributeFaults(value: unknown): FieldError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault('wrong_type', 'Must be an object.');
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_ATTRIBUTES) {
    return fault('too_long', `Must have at most ${MAX_ATTRIBUTES} entries.`);
  }
  return entries.flatMap(([key, item]) => {
    const pointer = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!KEY.test(key)) {
      const detail = 'The key must be 1 to 63 characters of A-Z a-z 0-9 . _ / -';
      return fault('invalid_format', detail, pointer);
    }
    return Array.isArray(item) ? listFaults(item, pointer) : valueFaults(item, pointer);
  });
}

function listFaults(items: unknown[], pointer: string): FieldError[] {
  if (items.length > MAX_ATTRIBUTE_ITEMS) {
    return fault('too_long', `Must have at most ${MAX_ATTRIBUTE_ITEMS} items.`, pointer);
  }
  return items.flatMap((item, index) => valueFaults(item, `${pointer}/${index}`));
}

function valueFaults(value: unknown, pointer: string): FieldError[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'number' && Number.isFinite(value)) return [];
  if (typeof value !== 'string') {
    const detail = 'Must be a string, a number, true or false, or a list of them.';
    return fault('wrong_type', detail, pointer);
  }
  return value.length <= MAX_ATTRIBUTE_LENGTH
    ? []
    : fault('too_long', `Must have at most ${MAX_ATTRIBUTE_LENGTH} characters.`, pointer);
}
