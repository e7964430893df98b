const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Writes bytes (as one big-endian number) in base62, digits in ASCII order, left-padded with `0`.
 * @param width number of characters of the result
 * @throws RangeError when the number does not fit into the width
 */
export function toBase62(bytes: Uint8Array, width: number): string {
  let rest = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  while (rest > 0n) {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return padded(text, width);
}

/**
 * Writes an unsigned 32-bit number in base62. Without BigInt, as it stands on the path of every request.
 * @throws RangeError when the number does not fit into the width
 */
export function uint32ToBase62(value: number, width: number): string {
  let rest = value >>> 0;
  let text = '';
  while (rest > 0) {
    text = DIGITS.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return padded(text, width);
}

function padded(text: string, width: number): string {
  if (text.length > width) throw new RangeError(`the number needs more than ${width} characters`);
  return text.padStart(width, '0');
}
