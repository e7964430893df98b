import { describe, expect, it } from '@jest/globals';
import { createToken } from '../crypto/token.js';
import { newId } from '../crypto/id.js';
import { clientProduct } from './client-product.js';

describe('the product of a client', () => {
  it.each([
    ['python-requests/2.31', 'python-requests/2.31'],
    ['curl/8.5.0 (x86_64) libcurl/8.5.0', 'curl/8.5.0'],
    ['node', 'node'],
    ['Mozilla/5.0 (X11; Linux)', 'Mozilla/5.0'],
    [null, 'unknown'],
    ['', 'unknown'],
    ['(nothing but a comment)', 'unknown'],
    ['x'.repeat(300), 'x'.repeat(64)],
  ])('of %j is %j', (userAgent, product) => {
    expect(clientProduct(userAgent)).toBe(product);
    expect(clientProduct(userAgent)).toBe(product);
  });

  it('is no token, even when one is sent as User-Agent', () => {
    const token = createToken('clv', 'key', newId('key'));
    expect(clientProduct(token)).not.toContain(token.slice(-49, -4));
    expect(clientProduct(`curl/${token}`)).not.toContain(token.slice(-49, -4));
  });
});
