import { describe, expect, it } from '@jest/globals';
import { allowedExpiry, DEFAULT_EXPIRY, expiresAtOf, expiryChoices } from './expiry';

const DAY = 86_400;
const NOW = new Date('2026-11-25T12:00:00Z');
const values = (maxSeconds: number | null) => expiryChoices(maxSeconds).map(({ value }) => value);

describe('expiryChoices', () => {
  it('offers everything where there is no bound', () => {
    expect(values(null)).toEqual(['30', '90', '180', '365', 'date', 'never']);
  });

  it('leaves out what the longest lifetime forbids, never above all', () => {
    expect(values(90 * DAY)).toEqual(['30', '90', 'date']);
    expect(values(90 * DAY - 1)).toEqual(['30', 'date']);
    expect(values(3_600)).toEqual(['date']);
  });
});

describe('allowedExpiry', () => {
  it('keeps what was chosen, else takes the longest that is left, else a date', () => {
    expect(allowedExpiry(DEFAULT_EXPIRY, null).choice).toBe('365');
    expect(allowedExpiry(DEFAULT_EXPIRY, 100 * DAY).choice).toBe('90');
    expect(allowedExpiry(DEFAULT_EXPIRY, DAY).choice).toBe('date');
  });
});

describe('expiresAtOf', () => {
  it('counts days from now, a minute short of a longest lifetime by another clock', () => {
    expect(expiresAtOf({ choice: '30', date: '' }, NOW)).toBe('2026-12-25T11:59:00.000Z');
  });

  it('is null for never, the time of a date, and empty for none', () => {
    expect(expiresAtOf({ choice: 'never', date: '' }, NOW)).toBeNull();
    const date = '2027-01-02T03:04';
    expect(expiresAtOf({ choice: 'date', date }, NOW)).toBe(new Date(date).toISOString());
    expect(expiresAtOf({ choice: 'date', date: '' }, NOW)).toBe('');
  });
});
