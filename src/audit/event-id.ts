import { createHash } from 'node:crypto';
import { fromUUIDBytes, TypeID } from 'typeid-js';
import { isId } from '../crypto/id.js';

/**
 * An event's id is computed from what the chain says about it, so that it needs neither a column nor
 * an index: a UUIDv7 (RFC 9562) whose time is `occurredAt` and whose random part is 34 bits of the
 * chain's hash and 40 bits of sequence number.
 */

const SEQUENCE_BITS = 40n;
const SEQUENCE_MASK = (1n << SEQUENCE_BITS) - 1n;

/** The id of the event with this place in this chain. `occurredAt`: Unix milliseconds. */
export function eventId(chain: string, sequence: bigint, occurredAt: number): string {
  const digest = createHash('sha256').update(chain).digest().readBigUInt64BE();
  const high = (BigInt(occurredAt) << 16n) | 0x7000n | (digest & 0xfffn);
  const low =
    (0b10n << 62n) | (((digest >> 12n) & 0x3fffffn) << SEQUENCE_BITS) | (sequence & SEQUENCE_MASK);
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(high, 0);
  bytes.writeBigUInt64BE(low, 8);
  return fromUUIDBytes('evt', bytes).toString();
}

/** The sequence number in an event id, or undefined for text that is no such id. */
export function sequenceOf(id: string): bigint | undefined {
  if (!isId('evt', id)) return undefined;
  const bytes = Buffer.from(TypeID.fromString(id).toUUIDBytes());
  return bytes.readBigUInt64BE(8) & SEQUENCE_MASK;
}
