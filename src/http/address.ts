import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A network: its address and the number of leading bits that count. */
export type Cidr = [Address, number];

/** So many characters has an address at most as it is shown (RFC 5952). */
export const MAX_ADDRESS_LENGTH = 39;

/** Stands for a peer whose socket is already gone. */
export const UNKNOWN_ADDRESS = '0.0.0.0';

const MAX_FORWARDED_HOPS = 32;
const parsedCidrs = new Map<string, Cidr | undefined>();
const MAX_REMEMBERED_CIDRS = 10_000;
/** What peers' addresses are written as. A peer sends many requests on one connection. */
const peerTexts = new Map<string, string>();
const MAX_REMEMBERED_PEERS = 10_000;

/**
 * The client's address. `X-Forwarded-For` is believed only as far as trusted proxies wrote it: it is read from the right,
 * and each step to the left needs the address that reported it to be a trusted proxy. An entry that is no address ends the
 * walk at the nearest valid peer.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustedProxies: readonly string[],
): string {
  if (forwardedFor === undefined || trustedProxies.length === 0) return peerText(peer ?? '');
  let current = parseAddress(peer ?? '');
  if (current === undefined) return UNKNOWN_ADDRESS;
  const hops = forwardedFor.split(',');
  const first = Math.max(0, hops.length - MAX_FORWARDED_HOPS);
  for (let index = hops.length - 1; index >= first; index -= 1) {
    if (!within(current, trustedProxies)) break;
    const next = parseAddress(withoutPort((hops[index] ?? '').trim()));
    if (next === undefined) break;
    current = next;
  }
  return textOf(current);
}

/**
 * Whether a host, as `URL.hostname` writes it, is this very machine: `localhost` and the names under it (RFC 6761 section 6.3),
 * 127.0.0.0/8, `[::1]`; pure.
 */
export function isLoopbackHost(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Whether `text` is an address or a network in CIDR notation (RFC 4632, RFC 4291) with no bits set beyond its prefix. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== undefined;
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address as a network of one. Undefined for anything else, also for a
 * network with host bits (`10.0.0.1/8`): a typo there would open more than was meant.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText, bitsText, ...rest] = text.split('/');
  if (rest.length > 0 || addressText === undefined) return undefined;
  const parsed = parsePlain(addressText);
  if (parsed === undefined) return undefined;
  const width = parsed.kind() === 'ipv4' ? 32 : 128;
  if (bitsText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return undefined;
  const bits = bitsText === undefined ? width : Number(bitsText);
  if (bits > width || hasHostBits(parsed, bits)) return undefined;
  return unmapped(parsed, bits);
}

/** Whether the address lies in one of the networks. False for text that is no address; networks that do not parse match nothing. */
export function addressAllowed(ip: string, cidrs: readonly string[]): boolean {
  const address = parseAddress(ip);
  return address !== undefined && within(address, cidrs);
}

function within(address: Address, cidrs: readonly string[]): boolean {
  return cidrs.some((text) => {
    const cidr = rememberedCidr(text);
    return (
      cidr !== undefined && cidr[0].kind() === address.kind() && address.match(cidr[0], cidr[1])
    );
  });
}

function peerText(peer: string): string {
  const known = peerTexts.get(peer);
  if (known !== undefined) return known;
  if (peerTexts.size >= MAX_REMEMBERED_PEERS) peerTexts.clear();
  const address = parseAddress(peer);
  const text = address === undefined ? UNKNOWN_ADDRESS : textOf(address);
  peerTexts.set(peer, text);
  return text;
}

/** Parsing a network costs more than matching it, and the same few come with every request. */
function rememberedCidr(text: string): Cidr | undefined {
  if (parsedCidrs.has(text)) return parsedCidrs.get(text);
  if (parsedCidrs.size >= MAX_REMEMBERED_CIDRS) parsedCidrs.clear();
  const cidr = parseCidr(text);
  parsedCidrs.set(text, cidr);
  return cidr;
}

/** IPv4-mapped IPv6 becomes IPv4, so one client has one address whatever socket it came in by. */
function parseAddress(text: string): Address | undefined {
  const zone = text.indexOf('%');
  const parsed = parsePlain(zone === -1 ? text : text.slice(0, zone));
  if (parsed === undefined) return undefined;
  return unmapped(parsed, parsed.kind() === 'ipv4' ? 32 : 128)[0];
}

/** Only the usual notations: ipaddr.js would also take `010.1`, `0x7f000001` and `1` for IPv4. */
function parsePlain(text: string): Address | undefined {
  if (text.includes('%')) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes(':') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return undefined;
}

function unmapped(address: Address, bits: number): Cidr {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return [address.toIPv4Address(), bits - 96];
  }
  return [address, bits];
}

function hasHostBits(address: Address, bits: number): boolean {
  return address.toByteArray().some((byte, index) => {
    const significant = Math.min(8, Math.max(0, bits - index * 8));
    return (byte & (0xff >> significant)) !== 0;
  });
}

/** Some proxies append the port: `203.0.113.7:4711`, `[2001:db8::1]:4711`. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? text;
}

function textOf(address: Address): string {
  return address.toString();
}
