import { type Cidr, parseCidr } from '../http/address.js';
import { fault, type FieldCheck } from '../http/validators.js';

/** The check of one entry of `allowedCidrs`. */
export const cidrFaults: FieldCheck = (value) => {
  if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
  if (value.length <= 64 && parseCidr(value) !== undefined) return [];
  return fault(
    'invalid_format',
    'Must be a network such as 203.0.113.0/24 or 2001:db8::/32, without bits behind its prefix, or one address.',
  );
};

/**
 * Valid networks in their one canonical form (RFC 5952, prefix always written, IPv4 not mapped into
 * IPv6), each once, in the order given.
 */
export function normalizeCidrs(cidrs: readonly string[]): string[] {
  return [...new Set(cidrs.map((text) => textOf(parsed(text))))];
}

/**
 * Whether `after` lets in any address that `before` does not; an empty list lets in all. A network
 * that only several networks of `before` cover together counts as wider.
 */
export function widensNetworks(before: readonly string[], after: readonly string[]): boolean {
  if (before.length === 0) return false;
  if (after.length === 0) return true;
  const networks = before.map(parsed);
  return !after.every((text) => networks.some((network) => covers(network, parsed(text))));
}

function covers([outer, outerBits]: Cidr, [inner, innerBits]: Cidr): boolean {
  return outer.kind() === inner.kind() && innerBits >= outerBits && inner.match(outer, outerBits);
}

function textOf([address, bits]: Cidr): string {
  return `${address.toString()}/${bits}`;
}

function parsed(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new TypeError('not a network');
  return cidr;
}
