import { describe, expect, test } from '@jest/globals';
import { createHmac, randomBytes } from 'node:crypto';
import { HmacSha256 } from './hmac.js';

const LONG = 'ü'.repeat(20_000);

describe('HMAC-SHA-256', () => {
  test('of RFC 4231, test cases 1 and 2', () => {
    const first = new HmacSha256(Buffer.alloc(20, 0x0b)).digest('Hi There').toString('hex');
    expect(first).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
    const second = new HmacSha256(Buffer.from('Jefe'));
    expect(second.digest('what do ya want for nothing?').toString('hex')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  test.each(['', 'a', 'token', 'ä€😀', '\0', 'x'.repeat(5_461), 'x'.repeat(5_462), LONG])(
    'is what Node makes of it (%#)',
    (text) => {
      const key = randomBytes(32);
      const mac = new HmacSha256(key);
      // A longer one before: nothing of it may be left.
      mac.digest('y'.repeat(5_000));
      const expected = createHmac('sha256', key).update(text).digest();
      expect(mac.digest(text)).toEqual(expected);
    },
  );

  test('takes no key that would have to be hashed first', () => {
    expect(() => new HmacSha256(Buffer.alloc(65))).toThrow(RangeError);
    expect(new HmacSha256(Buffer.alloc(64, 1)).digest('a')).toHaveLength(32);
  });
});
