import { describe, expect, it } from '@jest/globals';
import { cidrFaults, normalizeCidrs, widensNetworks } from './cidrs.js';

describe('networks of a key', () => {
  it.each(['203.0.113.0/24', '203.0.113.7', '2001:db8::/32', '::1', '0.0.0.0/0'])(
    'takes %s',
    (text) => expect(cidrFaults(text)).toEqual([]),
  );

  it.each(['203.0.113.1/24', '203.0.113.0/33', '1.2.3', '10.0.0.0/08', 'fe80::1%eth0', 'any', ''])(
    'refuses %j',
    (text) => expect(cidrFaults(text)).toMatchObject([{ code: 'invalid_format' }]),
  );

  it('refuses what is no text', () => {
    expect(cidrFaults(7)).toMatchObject([{ code: 'wrong_type' }]);
  });

  it('writes every network in one way, and once', () => {
    expect(
      normalizeCidrs([
        '203.0.113.7',
        '2001:0DB8:0:0::/32',
        '203.0.113.7/32',
        '::ffff:10.0.0.0/104',
      ]),
    ).toEqual(['203.0.113.7/32', '2001:db8::/32', '10.0.0.0/8']);
  });

  it.each([
    { before: ['10.0.0.0/8'], after: [] },
    { before: ['10.0.0.0/8'], after: ['10.0.0.0/7'] },
    { before: ['10.0.0.0/8'], after: ['10.0.0.0/8', '192.0.2.0/24'] },
    { before: ['10.0.0.0/8'], after: ['::/0'] },
  ])('sees that $after is wider than $before', ({ before, after }) => {
    expect(widensNetworks(before, after)).toBe(true);
  });

  it.each([
    { before: [], after: ['0.0.0.0/0'] },
    { before: ['10.0.0.0/8'], after: ['10.0.0.0/8'] },
    { before: ['10.0.0.0/8', '192.0.2.0/24'], after: ['10.1.0.0/16', '192.0.2.1/32'] },
    { before: ['::/0'], after: ['2001:db8::/32'] },
  ])('sees that $after is not wider than $before', ({ before, after }) => {
    expect(widensNetworks(before, after)).toBe(false);
  });
});
