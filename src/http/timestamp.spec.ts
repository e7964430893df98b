import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTimestamp, toDate } from './timestamp.js';

describe('parseTimestamp', () => {
  it('reads what toISOString writes', () => {
    const min = new Date('0001-01-01T00:00:00Z');
    const max = new Date('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        expect(parseTimestamp(date.toISOString())?.getTime()).toBe(date.getTime());
      }),
    );
  });

  it.each([
    ['2027-01-31T12:00:00+02:00', '2027-01-31T10:00:00.000Z'],
    ['2027-01-31t12:00:00.5z', '2027-01-31T12:00:00.500Z'],
    ['2028-02-29T00:00:00-05:30', '2028-02-29T05:30:00.000Z'],
    ['2027-01-31T12:00:00.123456789Z', '2027-01-31T12:00:00.123Z'],
  ])('reads %s', (text, expected) => expect(toDate(text).toISOString()).toBe(expected));

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2026-01-01T00:00:00+24:00',
    '275760-09-13T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    '0000-12-31T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '0001-01-01T00:00:00+01:00',
    '2026-01-01T00:00:00Z\n',
    '1767225600',
    '',
  ])('refuses %j', (text) => expect(parseTimestamp(text)).toBeUndefined());

  it('leaves null and undefined as they are', () => {
    expect(toDate(null)).toBeNull();
    expect(toDate(undefined)).toBeUndefined();
  });
});
