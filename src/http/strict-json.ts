import type { FieldError } from './problem.js';
import { escapePointer } from './validators.js';

/** Where and why text is not the JSON that this server takes. */
export class JsonRefusedError extends Error {
  override readonly name = 'JsonRefusedError';
  constructor(readonly fault: FieldError) {
    super(`${fault.code} at ${fault.pointer}`);
  }
}

/** Objects and lists within each other. */
export const MAX_JSON_DEPTH = 32;

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const MAX_POINTER_LENGTH = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Reads JSON (RFC 8259) as `JSON.parse` does, and refuses what that lets through and what nobody should act on: a key twice in
 * one object (each reader takes another of the values), `__proto__`, `constructor` and `prototype` as keys, more than 32
 * levels, NUL or half a surrogate pair in a string (no database stores them), numbers beyond a double's range.
 * @throws JsonRefusedError; its code is `invalid_json` when it is no JSON at all
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of the engine quotes the text, which may hold a secret.
    throw refusal('', 'invalid_json', 'The body must be valid JSON.');
  }
  new Scanner(text).scan();
  return value;
}

function refusal(pointer: string, code: string, detail: string): JsonRefusedError {
  return new JsonRefusedError({ pointer: pointer.slice(0, MAX_POINTER_LENGTH), code, detail });
}

/** One open object or list, with what was seen of it. */
interface Level {
  /** Undefined for a list. */
  keys?: Set<string>;
  /** The key or index that is being read. */
  current: string | number;
}

/**
 * Walks over text that `JSON.parse` has already accepted, so it needs no grammar: it follows the brackets, and reads strings
 * and numbers. Iterative, one pass.
 */
class Scanner {
  private at = 0;
  private readonly levels: Level[] = [];
  /** Whether the next string is a key. */
  private expectsKey = false;

  constructor(private readonly text: string) {}

  scan(): void {
    const { text } = this;
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) this.string();
      else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.number();
      else this.punctuation(code);
    }
  }

  private punctuation(code: number): void {
    this.at += 1;
    if (code === OPEN_OBJECT || code === OPEN_LIST) this.open(code === OPEN_OBJECT);
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) this.levels.pop();
    else if (code === COMMA) this.next();
    else if (code === COLON) this.expectsKey = false;
  }

  private open(isObject: boolean): void {
    if (this.levels.length >= MAX_JSON_DEPTH) {
      throw this.refuse('too_deep', `Must not be nested deeper than ${MAX_JSON_DEPTH} levels.`);
    }
    this.levels.push(isObject ? { keys: new Set(), current: '' } : { current: 0 });
    this.expectsKey = isObject;
  }

  private next(): void {
    const level = this.levels.at(-1);
    if (level === undefined) return;
    this.expectsKey = level.keys !== undefined;
    if (typeof level.current === 'number') level.current += 1;
  }

  private string(): void {
    const start = this.at;
    const end = closingQuote(this.text, start + 1);
    this.at = end + 1;
    const raw = this.text.slice(start, this.at);
    // A string without escapes is its own value: that spares most strings a second parse.
    const value = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    const level = this.levels.at(-1);
    if (this.expectsKey && level?.keys !== undefined) this.key(level, level.keys, value);
    if (value.includes('\0')) throw this.refuse('invalid_character', 'Must not contain NUL.');
    if (!value.isWellFormed()) {
      throw this.refuse('invalid_character', 'Must not contain half a surrogate pair.');
    }
  }

  private key(level: Level, keys: Set<string>, key: string): void {
    level.current = key.toWellFormed();
    if (FORBIDDEN_KEYS.has(key)) throw this.refuse('unknown_property', 'This name is not allowed.');
    if (keys.has(key)) throw this.refuse('duplicate_key', 'Must be given only once.');
    keys.add(key);
  }

  private number(): void {
    const start = this.at;
    this.at += 1;
    while (this.at < this.text.length && isNumberPart(this.text.charCodeAt(this.at))) this.at += 1;
    if (!Number.isFinite(Number(this.text.slice(start, this.at)))) {
      throw this.refuse('too_large', 'Must be a number that a double can hold.');
    }
  }

  private refuse(code: string, detail: string): JsonRefusedError {
    const pointer = this.levels.map(({ current }) => `/${escapePointer(String(current))}`).join('');
    return refusal(pointer, code, detail);
  }
}

/** The index of the quote that ends the string whose first character is at `from`. */
function closingQuote(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

/** Digits, point, exponent, signs. */
function isNumberPart(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === 0x2d
  );
}
