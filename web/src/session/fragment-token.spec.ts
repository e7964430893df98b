import { describe, expect, it } from '@jest/globals';
import { tokenIn } from './fragment-token';

describe('tokenIn', () => {
  it('takes the token out of a fragment', () => {
    expect(tokenIn('#token=clvi_abc')).toBe('clvi_abc');
    expect(tokenIn('#from=mail&token=a%2Bb')).toBe('a+b');
  });

  it('tells no token from an empty one', () => {
    expect(tokenIn('')).toBeNull();
    expect(tokenIn('#other=1')).toBeNull();
    expect(tokenIn('#token=')).toBe('');
  });
});
