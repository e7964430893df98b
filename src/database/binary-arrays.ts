/** What an array's elements are to PostgreSQL. */
export type ElementType = 'text' | 'int8';

/** Of `pg_type`. */
const OIDS: Readonly<Record<ElementType, number>> = { text: 25, int8: 20 };
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const INT8_BYTES = 8;
const MAX_UTF8_OF_UNIT = 3;

/**
 * An array in the binary format of the wire (PostgreSQL's `array_send`): one dimension, counted from 1, each element with its length
 * before it. Neither side has to quote, escape or parse anything, which `pg` does for arrays one element at a time.
 * @param values texts, or whole numbers for `int8`; nulls among them
 */
export function binaryArray(type: ElementType, values: readonly unknown[]): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + room(type, values));
  let at = HEADER_BYTES;
  let hasNull = 0;
  for (const value of values) {
    const start = at + LENGTH_BYTES;
    let length = NULL_LENGTH;
    if (value === null) hasNull = 1;
    else if (type === 'text') length = buffer.write(value as string, start);
    else length = buffer.writeBigInt64BE(BigInt(value as number), start) - start;
    buffer.writeInt32BE(length, at);
    at = start + Math.max(0, length);
  }
  const isEmpty = values.length === 0;
  buffer.writeInt32BE(isEmpty ? 0 : 1, 0);
  buffer.writeInt32BE(hasNull, 4);
  buffer.writeInt32BE(OIDS[type], 8);
  if (isEmpty) return buffer.subarray(0, HEADER_BYTES - 2 * LENGTH_BYTES);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer.subarray(0, at);
}

/** Enough for all elements; at most three times what they need. */
function room(type: ElementType, values: readonly unknown[]): number {
  let bytes = values.length * LENGTH_BYTES;
  for (const value of values) {
    if (value === null) continue;
    bytes += type === 'text' ? (value as string).length * MAX_UTF8_OF_UNIT : INT8_BYTES;
  }
  return bytes;
}
