import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressAllowed, clientAddress, isCidr, isLoopbackHost } from './address.js';

const PROXIES = ['10.0.0.0/8', 'fd00::/8'];

describe('clientAddress', () => {
  it.each([
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1'],
    ['fd00::1', ' 2001:DB8:0::1 ', '2001:db8::1'],
    ['10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', 'garbage', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1, garbage', '10.0.0.1'],
    ['10.0.0.1', 'garbage, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '0x7f000001', '10.0.0.1'],
    ['10.0.0.1', '010.0.0.1', '10.0.0.1'],
    ['fe80::1%eth0', undefined, 'fe80::1'],
    [undefined, '198.51.100.1', '0.0.0.0'],
  ])('takes peer %s with %j for %s', (peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor, PROXIES)).toBe(expected);
  });

  it('believes nobody without trusted proxies', () => {
    expect(clientAddress('10.0.0.1', '198.51.100.1', [])).toBe('10.0.0.1');
  });

  it('cannot be led past the first address that is no trusted proxy', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.ipV4(), (forged, client) => {
        fc.pre(!client.startsWith('10.'));
        const header = [...forged, client].join(',');
        expect(clientAddress('10.0.0.1', header, PROXIES)).toBe(client);
        expect(clientAddress(client, header, PROXIES)).toBe(client);
      }),
    );
  });

  it('never throws, and always gives an address', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (peer, header) => {
        expect(clientAddress(peer, header, PROXIES)).toMatch(/^[0-9a-f:.]+$/);
      }),
    );
  });
});

describe('isCidr', () => {
  it.each([
    '0.0.0.0/0',
    '10.0.0.0/8',
    '203.0.113.7',
    '203.0.113.7/32',
    '2001:db8::/32',
    '::1',
    '::/0',
  ])('takes %s', (text) => expect(isCidr(text)).toBe(true));

  it.each([
    '',
    'x',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0',
    '010.0.0.0/8',
    '2001:db8::1/32',
    '::/129',
    'fe80::1%eth0',
    '10.0.0.0/8 ',
  ])('refuses %j', (text) => expect(isCidr(text)).toBe(false));
});

describe('addressAllowed', () => {
  it('sees through IPv4-mapped addresses on both sides', () => {
    expect(addressAllowed('::ffff:10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(addressAllowed('10.1.2.3', ['::ffff:10.0.0.0/104'])).toBe(true);
    expect(addressAllowed('::1', ['0.0.0.0/0'])).toBe(false);
    expect(addressAllowed('10.1.2.3', ['::/0'])).toBe(false);
  });

  it('allows nothing for an empty list, for garbage, and for networks that do not parse', () => {
    expect(addressAllowed('10.1.2.3', [])).toBe(false);
    expect(addressAllowed('garbage', ['0.0.0.0/0', '::/0'])).toBe(false);
    expect(addressAllowed('10.1.2.3', ['10.0.0.1/8', 'x'])).toBe(false);
  });

  it('agrees with arithmetic on IPv4', () => {
    const number = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const text = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.');
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat({ max: 32 }), (ip, base, bits) => {
        const size = 2 ** (32 - bits);
        const first = Math.floor(number(base) / size) * size;
        const inside = number(ip) >= first && number(ip) < first + size;
        expect(addressAllowed(ip, [`${text(first)}/${bits}`])).toBe(inside);
      }),
    );
  });
});

describe('isLoopbackHost', () => {
  it.each<[string, boolean]>([
    ['http://localhost:3000', true],
    ['http://LOCALHOST', true],
    ['http://keys.localhost', true],
    ['http://127.0.0.1:8080', true],
    ['http://127.1', true],
    ['http://127.8.9.10', true],
    ['http://[::1]:3000', true],
    ['http://[0:0::1]', true],
    ['http://localhost.example.com', false],
    ['http://mylocalhost', false],
    ['http://127.0.0.1.example.com', false],
    ['http://128.0.0.1', false],
    ['http://0.0.0.0:3000', false],
    ['http://192.168.1.5:3000', false],
    ['http://claviger', false],
    ['http://[::2]', false],
    ['http://[::ffff:127.0.0.1]', false],
  ])('%s: %s', (url, expected) => {
    expect(isLoopbackHost(new URL(url).hostname)).toBe(expected);
  });
});
