import { describe, expect, it } from '@jest/globals';
import { TypeID } from 'typeid-js';
import { isId, newId, type IdPrefix } from './id.js';

const PREFIXES: IdPrefix[] = ['org', 'usr', 'sa', 'key', 'ses', 'inv', 'evt', 'req', 'stp', 'rst'];

describe('ids', () => {
  it.each(PREFIXES)('makes ids with the prefix %s that it recognises', (prefix) => {
    const id = newId(prefix);
    expect(id).toMatch(new RegExp(`^${prefix}_[0-7][0-9a-z]{25}$`));
    expect(isId(prefix, id)).toBe(true);
  });

  it('makes ids that sort by the time they were made', () => {
    // More than fit into a few milliseconds.
    const ids = Array.from({ length: 50_000 }, () => newId('evt'));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('makes UUIDs of version 7 with the time of now', () => {
    const before = Date.now();
    for (let round = 0; round < 1_000; round += 1) {
      const uuid = TypeID.fromString(newId('req'), 'req').toUUID();
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const time = parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
      // Ids before may have used milliseconds up.
      expect(time - before).toBeGreaterThanOrEqual(0);
      expect(time - before).toBeLessThan(1_000);
    }
  });

  it('uses every character in every random place', () => {
    const suffixes = Array.from({ length: 5_000 }, () => newId('key').slice(-12));
    for (let place = 0; place < 12; place += 1) {
      expect(new Set(suffixes.map((one) => one[place])).size).toBe(32);
    }
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
