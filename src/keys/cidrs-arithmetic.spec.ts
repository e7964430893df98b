import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressAllowed, isCidr } from '../http/address.js';
import { normalizeCidrs, widensNetworks } from './cidrs.js';

/**
 * Networks and addresses once more as nothing but numbers, to compare with: an IPv4 address and its IPv4-mapped form
 * (RFC 4291 section 2.5.5.2) are one and the same, all other addresses of IPv6 are apart from both.
 */
interface Network {
  value: bigint;
  width: 32 | 128;
  bits: number;
}

const MAPPED = 0xffffn;
const all = (bits: number) => (1n << BigInt(bits)) - 1n;
const ipv4 = (bits: number) => fc.bigInt(0n, all(32)).map((value) => masked(value, 32, bits));
const ipv6 = (bits: number) =>
  fc
    .oneof(
      fc.bigInt(0n, all(128)),
      fc.bigInt(0n, all(32)).map((value) => (MAPPED << 32n) | value),
      // So that something lies in long prefixes, too.
      fc.bigInt(0n, all(8)),
    )
    .map((value) => masked(value, 128, bits));

const network = fc.oneof(
  fc.integer({ min: 0, max: 32 }).chain(ipv4),
  fc.integer({ min: 0, max: 128 }).chain(ipv6),
);
const address = fc.oneof(ipv4(32), ipv6(128));

function masked(value: bigint, width: 32 | 128, bits: number): Network {
  const hosts = all(width - bits);
  return { value: value & ~hosts, width, bits };
}

/** As text: dotted, or eight groups, long or with the zeros of a group left out, mapped ones with dots as well. */
function textOf({ value, width }: Network, style: number): string {
  if (width === 32) return dotted(value);
  if (value >> 32n === MAPPED && style % 3 === 0) return `::ffff:${dotted(value & all(32))}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  return groups.map((group) => (style % 2 === 0 ? group : group.padStart(4, '0'))).join(':');
}

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
}

const cidrOf = (one: Network, style: number) => `${textOf(one, style)}/${one.bits}`;

/** IPv4 where it is that in truth. */
function plain(one: Network): Network {
  const { value, width, bits } = one;
  if (width === 32 || value >> 32n !== MAPPED || bits < 96) return one;
  return { value: value & all(32), width: 32, bits: bits - 96 };
}

function contains(outer: Network, inner: Network): boolean {
  const [a, b] = [plain(outer), plain(inner)];
  const shift = BigInt(a.width - a.bits);
  return a.width === b.width && b.bits >= a.bits && a.value >> shift === b.value >> shift;
}

/** An address in the network, or anywhere. */
const inOrOut = network.chain((one) =>
  fc
    .oneof(
      address,
      fc.bigInt(0n, all(one.width - one.bits)).map((host) => ({
        value: one.value | host,
        width: one.width,
        bits: one.width,
      })),
    )
    .map((ip) => ({ one, ip })),
);

describe('networks and addresses', () => {
  it('match as their numbers do, IPv4, IPv6 and IPv4-mapped, however they are written', () => {
    fc.assert(
      fc.property(inOrOut, fc.array(network, { maxLength: 3 }), fc.nat(), (pair, more, style) => {
        const networks = [pair.one, ...more];
        const isIn = networks.some((one) => contains(one, pair.ip));
        const cidrs = networks.map((one) => cidrOf(one, style));
        expect(addressAllowed(textOf(pair.ip, style), cidrs)).toBe(isIn);
        expect(addressAllowed(textOf(pair.ip, style), normalizeCidrs(cidrs))).toBe(isIn);
      }),
      { numRuns: 1000 },
    );
  });

  it('are refused with any bit set behind the prefix', () => {
    fc.assert(
      fc.property(network, fc.nat(), fc.nat(), (one, bit, style) => {
        expect(isCidr(cidrOf(one, style))).toBe(true);
        fc.pre(one.bits < one.width);
        const host = 1n << BigInt(bit % (one.width - one.bits));
        expect(isCidr(cidrOf({ ...one, value: one.value | host }, style))).toBe(false);
      }),
    );
  });

  it('have one canonical form, which is its own', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 4 }), fc.nat(), fc.nat(), (list, one, other) => {
        const canonical = normalizeCidrs(list.map((item) => cidrOf(item, one)));
        expect(normalizeCidrs(list.map((item) => cidrOf(item, other)))).toEqual(canonical);
        expect(normalizeCidrs(canonical)).toEqual(canonical);
        expect(canonical.every(isCidr)).toBe(true);
      }),
    );
  });

  it('are wider than others exactly when one of them lies in none of those', () => {
    const list = fc.array(network, { minLength: 1, maxLength: 3 });
    const narrowed = fc.tuple(list, list, fc.boolean(), fc.nat());
    fc.assert(
      fc.property(narrowed, ([before, other, isInside, more]) => {
        const inside = before.map((one) => ({
          ...one,
          bits: one.bits + (more % (one.width - one.bits + 1)),
        }));
        const after = isInside ? inside : other;
        const isWider = !after.every((one) => before.some((outer) => contains(outer, one)));
        const text = (networks: Network[]) => networks.map((one) => cidrOf(one, 0));
        expect(widensNetworks(text(before), text(after))).toBe(isWider);
      }),
    );
  });
});
