import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toBase62, uint32ToBase62 } from './base62.js';

describe('base62', () => {
  it('has a fixed width, zero and the largest numbers included', () => {
    expect(toBase62(new Uint8Array(32), 43)).toBe('0'.repeat(43));
    expect(toBase62(new Uint8Array(32).fill(255), 43)).toHaveLength(43);
    expect(uint32ToBase62(0, 6)).toBe('000000');
    expect(uint32ToBase62(0xffffffff, 6)).toBe('4gfFC3');
  });

  it('keeps the order of the numbers, so no two of them look alike', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (a, b) => {
          const [left, right] = [toBase62(a, 43), toBase62(b, 43)];
          const order = Buffer.compare(a, b);
          expect(left < right ? -1 : left > right ? 1 : 0).toBe(order);
        },
      ),
    );
  });

  it('writes a 32-bit number the same both ways', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (value) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(value);
        expect(uint32ToBase62(value, 6)).toBe(toBase62(bytes, 6));
      }),
    );
  });

  it('refuses a number that does not fit instead of cutting it', () => {
    expect(() => toBase62(new Uint8Array(32).fill(255), 42)).toThrow(RangeError);
  });
});
