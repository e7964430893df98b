import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonRefusedError, MAX_JSON_DEPTH, parseStrictJson } from './strict-json.js';

function faultOf(text: string): { pointer: string; code: string } | undefined {
  try {
    parseStrictJson(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonRefusedError)) throw error;
    return { pointer: error.fault.pointer, code: error.fault.code };
  }
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a value is one that the parser lets through, computed in another way than by scanning. */
function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_JSON_DEPTH) return false;
  return Object.entries(value).every(
    ([key, item]) => !FORBIDDEN.has(key) && isPlain(key) && isPlain(item, depth + 1),
  );
}

describe('parseStrictJson', () => {
  it('reads what JSON.parse reads, or refuses exactly what may not pass', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary', maxDepth: 5 }), (text) => {
        const value: unknown = JSON.parse(text);
        if (faultOf(text) === undefined) expect(parseStrictJson(text)).toEqual(value);
        // A key given twice is lost in the value; it is looked for below.
        else if (isPlain(value)) expect(faultOf(text)?.code).toBe('duplicate_key');
        if (!isPlain(value)) expect(faultOf(text)).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  it('keeps white space, escapes and brackets in strings apart from structure', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 4 }), (text, indent) => {
        fc.pre(!text.includes('\0') && text.isWellFormed());
        const value = { 'a"\\,{}[]:': [text, { b: text, c: '"}]\\\\' }], d: 'x\\"' };
        expect(parseStrictJson(JSON.stringify(value, null, indent))).toEqual(value);
      }),
    );
  });

  it('finds every key given twice, however it is spelled and wherever it stands', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,5}$/), fc.nat({ max: 10 }), (key, depth) => {
        const escaped = `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}`;
        const text = `${'{"x":'.repeat(depth)}{"${key}":1,"y":{"${key}":2},"${escaped}":3}${'}'.repeat(depth)}`;
        expect(faultOf(text)).toEqual({
          pointer: `${'/x'.repeat(depth)}/${key}`,
          code: 'duplicate_key',
        });
      }),
    );
  });
});

describe('parseStrictJson, case by case', () => {
  it.each([
    ['', '', 'invalid_json'],
    ['{"a":1,}', '', 'invalid_json'],
    ['{"a":NaN}', '', 'invalid_json'],
    ['\ufeff{}', '', 'invalid_json'],
    ['{"__proto__":1}', '/__proto__', 'unknown_property'],
    ['{"\\u005f_proto__":1}', '/__proto__', 'unknown_property'],
    ['[{"a":{"constructor":1}}]', '/0/a/constructor', 'unknown_property'],
    ['{"a":["x","\\u0000"]}', '/a/1', 'invalid_character'],
    ['{"a":"\\ud83d"}', '/a', 'invalid_character'],
    ['{"a\\u0000":1}', '/a\0', 'invalid_character'],
    ['[0,-1e999]', '/1', 'too_large'],
    ['{"expiresAt":1e400}', '/expiresAt', 'too_large'],
    ['{"a/b":{"~":1e400}}', '/a~1b/~0', 'too_large'],
  ])('refuses %j at %j with %s', (text, pointer, code) => {
    expect(faultOf(text)).toEqual({ pointer, code });
  });

  it('takes 32 levels and refuses 33', () => {
    expect(faultOf('['.repeat(32) + ']'.repeat(32))).toBeUndefined();
    expect(faultOf('['.repeat(33) + ']'.repeat(33))?.code).toBe('too_deep');
    expect(faultOf(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)?.code).toBe('too_deep');
  });

  it('takes whole surrogate pairs, escaped or not, and one key in two objects', () => {
    expect(parseStrictJson('["\\ud83d\\ude00","😀"]')).toEqual(['😀', '😀']);
    expect(parseStrictJson('[{"a":1},{"a":1}]')).toEqual([{ a: 1 }, { a: 1 }]);
    expect(parseStrictJson('{"a":"a","b":["b","b"]}')).toEqual({ a: 'a', b: ['b', 'b'] });
  });
});
