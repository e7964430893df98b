import { describe, expect, it } from '@jest/globals';
import { replacementDelay } from './primary.js';

describe('the delay before a worker is replaced', () => {
  it('grows while it keeps dying, and is bounded', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 5_000].map(replacementDelay);
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000]);
  });
});
