import { redactTokens } from './crypto/token.js';

/**
 * Fields that never reach a log, compared without case, `-` and `_`: secrets by their name
 * (`newPassword`, `set-cookie`, `X-Api-Key`), connection URLs (they hold passwords), and whatever carries a
 * request's headers or body.
 */
const DROPPED =
  /(?:password|passphrase|secret|pepper|pepperprevious|authorization|cookie|apikey|token|assertion)s?(?:hash)?$|(?:headers?|trailers|body)$|^(?:database|directdatabase|redis|smtp)url$/;

/** `user:password@` in a URL, as drivers like to repeat it in errors; and hashes of passwords. */
const URL_CREDENTIALS = /(:\/\/)[^\s/?#@:"\\]*:[^\s/?#"\\]*@/g;
const PASSWORD_HASH = /\$argon2[a-z]{1,2}\$[A-Za-z0-9+/=,$.]+/g;

/** DEL, C1 controls (8-bit ANSI), line separators, directions of text: legal in JSON, not on a terminal. */
const UNPRINTABLE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;

/**
 * The last filter, over the finished JSON line: obfuscates tokens, removes credentials in URLs and password
 * hashes, escapes what could move a terminal's cursor. JSON has escaped CR, LF and ESC before.
 */
export function loggableLine(line: string): string {
  return redactTokens(line)
    .replace(URL_CREDENTIALS, '$1…@')
    .replace(PASSWORD_HASH, '$argon2…')
    .replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The fields of a log entry without what must not be logged. Never throws: logging is no reason to fail. */
export function loggableFields(fields: object): Record<string, unknown> {
  try {
    return entriesOf(fields, 0, new Set());
  } catch {
    return { unloggable: true }; // a getter threw
  }
}

/** The same for a single value. */
export function loggable(value: unknown): unknown {
  return loggableFields({ value }).value;
}

function clean(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`; // may be a hash or a key
  if (above.has(value) || depth >= MAX_DEPTH) return '[…]';
  above.add(value);
  const result = cleanObject(value, depth, above);
  above.delete(value);
  return result;
}

/** Walks plain objects, arrays and errors. Other instances (requests, clients) hold too much: their name only. */
function cleanObject(value: object, depth: number, above: Set<object>): unknown {
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((item) => clean(item, depth + 1, above));
  }
  if (value instanceof Error) return cleanError(value, depth, above);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? entriesOf(value, depth, above) : `[${value.constructor?.name ?? 'object'}]`;
}

/** Of an error's own fields only `code` and what caused it: drivers hang queries and connections on theirs. */
function cleanError(error: Error, depth: number, above: Set<object>): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  const errors: unknown = error instanceof AggregateError ? error.errors : undefined;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1, above) }),
    ...(errors === undefined ? {} : { errors: clean(errors, depth + 1, above) }),
  };
}

function entriesOf(fields: object, depth: number, above: Set<object>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MAX_ENTRIES)) {
    const loggedName = loggableName(name);
    if (loggedName !== undefined) result[loggedName] = clean(value, depth + 1, above);
  }
  return result;
}

/** Names recur with every entry, so what became of them is remembered; a bound keeps strangers' names few. */
const loggableNames = new Map<string, string | undefined>();
const MAX_REMEMBERED_NAMES = 1000;

/** The name of a field as it may be written, or `undefined` when the field is to be dropped. */
function loggableName(name: string): string | undefined {
  if (loggableNames.has(name)) return loggableNames.get(name);
  const isDropped = DROPPED.test(name.toLowerCase().replace(/[-_]/g, ''));
  // Whoever searches the log should not have to escape names.
  const result = isDropped ? undefined : name.replace(/[^\w.:$/-]/g, '_');
  if (loggableNames.size < MAX_REMEMBERED_NAMES && name.length < 100) {
    loggableNames.set(name, result);
  }
  return result;
}
