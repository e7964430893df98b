import { describe, expect, it } from '@jest/globals';
import {
  NAME_OR_EMPTY_PATTERN,
  NAME_PATTERN,
  STORABLE_PATTERN,
  TEXT_PATTERN,
} from './text-patterns.js';

/** As a JSON Schema validator reads it. */
const takes = (pattern: string, text: string) => new RegExp(pattern, 'u').test(text);

describe('a name', () => {
  it.each(['a', 'Ada Lovelace', 'Zoë 🦊', 'a\u00a0b'])('may be %j', (text) => {
    expect(takes(NAME_PATTERN, text)).toBe(true);
    expect(takes(NAME_OR_EMPTY_PATTERN, text)).toBe(true);
  });

  it.each([
    ' a',
    'a ',
    'a\nb',
    'a\n',
    '\0',
    'a\u0085',
    'a\u2028b',
    'a\u202eb',
    '\u2066a',
    '\ufeffa',
  ])('may not be %j', (text) => {
    expect(takes(NAME_PATTERN, text)).toBe(false);
    expect(takes(NAME_OR_EMPTY_PATTERN, text)).toBe(false);
  });

  it('may be empty where it may be left out', () => {
    expect(takes(NAME_PATTERN, '')).toBe(false);
    expect(takes(NAME_OR_EMPTY_PATTERN, '')).toBe(true);
  });
});

describe('a text', () => {
  it('has lines, but no other controls', () => {
    expect(takes(TEXT_PATTERN, ' a\tb\r\nc ')).toBe(true);
    expect(takes(TEXT_PATTERN, '')).toBe(true);
    for (const control of ['\0', '\b', '\v', '\u001b', '\u007f', '\u0085']) {
      expect(takes(TEXT_PATTERN, `a${control}b`)).toBe(false);
    }
  });

  it('that can be stored has no NUL', () => {
    expect(takes(STORABLE_PATTERN, '\u001b[31m\n')).toBe(true);
    expect(takes(STORABLE_PATTERN, 'a\0')).toBe(false);
  });
});
