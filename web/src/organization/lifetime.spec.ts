import { describe, expect, it } from '@jest/globals';
import { lifetimeText, rangeIn, toLifetime, toSeconds } from './lifetime';

describe('a lifetime', () => {
  it('is told in the largest unit that tells it exactly', () => {
    expect(toLifetime(90 * 86_400)).toEqual({ amount: '90', unit: 'days' });
    expect(toLifetime(36 * 3_600)).toEqual({ amount: '36', unit: 'hours' });
    expect(toLifetime(90 * 60)).toEqual({ amount: '90', unit: 'minutes' });
    expect(toLifetime(3_601)).toEqual({ amount: '3601', unit: 'seconds' });
    expect(toLifetime(null)).toEqual({ amount: '', unit: 'none' });
  });

  it('is the same seconds again', () => {
    for (const seconds of [3_600, 3_601, 86_400, 5_400, 315_360_000, null]) {
      expect(toSeconds(toLifetime(seconds))).toBe(seconds);
    }
  });

  it('reads well', () => {
    expect(lifetimeText(86_400)).toBe('1 day');
    expect(lifetimeText(7_200)).toBe('2 hours');
    expect(lifetimeText(null)).toBe('No limit');
  });

  it('has bounds in every unit, within those of the API', () => {
    expect(rangeIn('days')).toEqual([1, 3_650]);
    expect(rangeIn('hours')).toEqual([1, 87_600]);
    expect(rangeIn('seconds')).toEqual([3_600, 315_360_000]);
  });
});
