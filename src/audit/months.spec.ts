import { describe, expect, it } from '@jest/globals';
import { isPast, monthNamed, monthOf } from './months.js';

const iso = ({ name, from, to }: ReturnType<typeof monthOf>) => [
  name,
  from.toISOString(),
  to.toISOString(),
];

describe('months', () => {
  it('begin and end in UTC, over the end of a year too', () => {
    const december = ['2026_12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];
    expect(iso(monthOf(new Date('2026-12-31T23:59:59.999Z')))).toEqual(december);
    expect(iso(monthOf(new Date('2026-10-31T12:00:00Z'), 2))).toEqual(december);
    expect(iso(monthOf(new Date('2027-02-01T00:00:00Z'), -2))).toEqual(december);
    expect(iso(monthNamed('2026_12')!)).toEqual(december);
  });

  it('have no other names', () => {
    for (const name of ['', '2026_13', '2026_00', '2026_1', 'default', '2026_12_01']) {
      expect(monthNamed(name)).toBeUndefined();
    }
  });
});

describe('isPast', () => {
  it('counts whole months', () => {
    const end = new Date('2026-11-01T00:00:00Z');
    expect(isPast(end, 1, new Date('2026-11-30T23:59:59.999Z'))).toBe(false);
    expect(isPast(end, 1, new Date('2026-12-01T00:00:00Z'))).toBe(true);
    expect(isPast(end, 13, new Date('2027-11-30T00:00:00Z'))).toBe(false);
    expect(isPast(end, 13, new Date('2027-12-01T00:00:00Z'))).toBe(true);
  });
});
