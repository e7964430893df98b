import { describe, expect, it } from '@jest/globals';
import { isId, newId, type IdPrefix } from './id.js';

const PREFIXES: IdPrefix[] = ['org', 'usr', 'sa', 'key', 'ses', 'inv', 'evt', 'req', 'stp', 'rst'];

describe('ids', () => {
  it.each(PREFIXES)('makes ids with the prefix %s that it recognises', (prefix) => {
    const id = newId(prefix);
    expect(id).toMatch(new RegExp(`^${prefix}_[0-7][0-9a-z]{25}$`));
    expect(isId(prefix, id)).toBe(true);
  });

  it('makes ids that sort by the time they were made', () => {
    const ids = Array.from({ length: 1000 }, () => newId('evt'));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  const suffix = '01arz3ndektsv4rrffq69g5fav';
  it.each([
    ['another prefix', `usr_${suffix}`],
    ['no prefix', suffix],
    ['a longer prefix', `xkey_${suffix}`],
    ['upper case', `key_${suffix.toUpperCase()}`],
    ['a letter outside the alphabet', `key_${suffix.slice(0, 25)}l`],
    ['more than 128 bits', `key_8${suffix.slice(1)}`],
    ['a character too few', `key_${suffix.slice(1)}`],
    ['a character too many', `key_${suffix}0`],
    ['a trailing newline', `key_${suffix}\n`],
    ['a leading space', ` key_${suffix}`],
    ['full-width digits', `key_\uff10${suffix.slice(1)}`],
    ['a NUL', `key_${suffix.slice(0, 25)}\0`],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(isId('key', `key_${suffix}`)).toBe(true);
    expect(isId('key', text)).toBe(false);
  });
});
