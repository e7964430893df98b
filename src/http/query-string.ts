import { badRequest, invalid, Problem } from './problem.js';
import { escapePointer } from './validators.js';

const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

const FAULT = Symbol('fault');

/** What makes a text something else than itself, or no text: without it there is nothing to undo. */
const ENCODED = /[%+\0\ud800-\udfff]/;

const NO_LISTS: ReadonlySet<string> = new Set();

/**
 * Reads `a=1&b=x%20y` (`+` is a space). Every name once: which of two values counts is a question that two programs answer
 * differently. Only those in `lists` may be there several times; without a value they count as left out. The result has no
 * prototype.
 * @throws Problem 400 naming the parameter: given twice, invalid percent-encoding or UTF-8, NUL
 */
export function parseStrictForm(
  text: string,
  lists: ReadonlySet<string> = NO_LISTS,
): Record<string, string | string[]> {
  const values = Object.create(null) as Record<string, string | string[]>;
  if (text === '') return values;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = formDecoded(equals === -1 ? pair : pair.slice(0, equals));
    if (name === undefined) {
      throw badRequest('invalid_parameter', 'The name of a parameter is not valid.');
    }
    const pointer = `/${escapePointer(name)}`;
    const value = formDecoded(equals === -1 ? '' : pair.slice(equals + 1));
    if (value === undefined) {
      const detail = 'Must be valid percent-encoded UTF-8 without NUL.';
      throw invalid({ pointer, code: 'invalid_format', detail });
    }
    if (lists.has(name)) {
      const list = (values[name] ??= []) as string[];
      if (value !== '') list.push(value);
      continue;
    }
    if (name in values) {
      throw invalid({ pointer, code: 'duplicate', detail: 'Must be given only once.' });
    }
    if (FORBIDDEN_NAMES.has(name)) {
      throw invalid({ pointer, code: 'unknown_property', detail: 'There is no such parameter.' });
    }
    values[name] = value;
  }
  return values;
}

/**
 * The query string parser of the router, which may not throw: it runs before there is a request to answer. A fault is
 * kept in the result, and `queryFault` tells it to the first hook.
 */
export function parseQuery(text: string): Record<string, string> {
  try {
    return parseStrictForm(text) as Record<string, string>;
  } catch (error) {
    return Object.assign(Object.create(null) as Record<string, string>, { [FAULT]: error });
  }
}

/** Why the query string of a request is refused, if it is. */
export function queryFault(query: unknown): Problem | undefined {
  const fault = (query as { [FAULT]?: unknown } | null)?.[FAULT];
  return fault instanceof Problem ? fault : undefined;
}

/**
 * Undoes the encoding of forms. Undefined for what no text is encoded as. `decodeURIComponent` refuses surrogates and overlong
 * UTF-8 too.
 */
export function formDecoded(text: string): string | undefined {
  if (!ENCODED.test(text)) return text;
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '));
    return value.includes('\0') ? undefined : value;
  } catch {
    return undefined;
  }
}
