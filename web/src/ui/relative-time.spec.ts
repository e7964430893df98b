import { describe, expect, it } from '@jest/globals';
import { relativeTime } from './relative-time';

const NOW = new Date('2026-11-25T12:00:00Z');
const after = (seconds: number) => relativeTime(new Date(NOW.getTime() + seconds * 1000), NOW);

describe('relativeTime', () => {
  it('says of less than a minute only on which side it is', () => {
    expect([after(0), after(-59), after(59)]).toEqual(['just now', 'just now', 'in a moment']);
  });

  it('counts whole units, the largest that fits', () => {
    expect(after(-60)).toBe('1 minute ago');
    expect(after(-3_599)).toBe('59 minutes ago');
    expect(after(3 * 3_600 + 1)).toBe('in 3 hours');
    expect(after(-2 * 86_400)).toBe('2 days ago');
    expect(after(-45 * 86_400)).toBe('last month');
    expect(after(800 * 86_400)).toBe('in 2 years');
  });

  it('has words for the day before and the day after', () => {
    expect([after(-86_400), after(86_400)]).toEqual(['yesterday', 'tomorrow']);
  });
});
