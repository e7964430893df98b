import { crc32 } from 'node:zlib';

/** What follows the prefix of a token: its id and its secret. Underscores may be percent-encoded, as in a URL or a form. */
const BODY = /(?:_|%5[Ff])([0-7][0-9a-hjkmnp-tv-z]{25})(?:_|%5[Ff])([0-9A-Za-z]{49})/g;
/** `TOKEN_PREFIX` and one letter for the kind, at the end of what stands before. */
const PREFIX = /[a-z0-9]{2,11}$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The tokens of any server's prefix in a text, whatever stands around them: those whose checksum is right, so that an example is none.
 * @returns {string[]} of each what may be shown, `clv_<id>_…`; an id is no secret
 */
export function findTokens(text) {
  const found = [];
  for (const { index, 1: id, 2: tail } of text.matchAll(BODY)) {
    const before = PREFIX.exec(text.slice(Math.max(index - 11, 0), index))?.[0] ?? '';
    for (let length = 2; length <= before.length; length += 1) {
      const name = `${before.slice(-length)}_${id}`;
      if (checksum(`${name}_${tail.slice(0, -6)}`) === tail.slice(-6)) found.push(`${name}_…`);
    }
  }
  return found;
}

/** As src/crypto/token.ts makes it: CRC-32 in six digits of base62. */
function checksum(text) {
  let [rest, digits] = [crc32(text), ''];
  while (digits.length < 6) {
    digits = DIGITS[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
