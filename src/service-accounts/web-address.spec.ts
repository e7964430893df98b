import { describe, expect, it } from '@jest/globals';
import { webAddressFaults } from './web-address.js';

describe('the address of a documentation', () => {
  it.each(['https://wiki.example.com', 'http://localhost:8080/a?b=c#d', 'HTTPS://例え.jp/ü'])(
    'may be %s',
    (text) => expect(webAddressFaults(text)).toEqual([]),
  );

  it.each([
    'javascript:alert(1)',
    'ftp://example.com',
    '//example.com',
    'https://',
    'https:/example.com',
    'https://user:secret@example.com/',
    'https://example.com/a b',
    'https://example.com/\u0007',
    'https:\\\\example.com',
    ' https://example.com',
    '',
  ])('may not be %j', (text) => {
    expect(webAddressFaults(text)).toMatchObject([{ code: 'invalid_format' }]);
  });

  it('has an end', () => {
    expect(webAddressFaults(`https://example.com/${'a'.repeat(2000)}`)).toMatchObject([
      { code: 'too_long' },
    ]);
  });
});
