import { randomFillSync, randomUUID } from 'node:crypto';
import { TypeID } from 'typeid-js';

/** What an id names: the part of a TypeID before its underscore. */
export type IdPrefix = 'org' | 'usr' | 'sa' | 'key' | 'ses' | 'inv' | 'evt' | 'req' | 'stp' | 'rst';

/** Length of the part of a TypeID after its prefix and underscore. */
export const ID_SUFFIX_LENGTH = 26;

/**
 * That part, as the source of a regular expression: 128 bits in Crockford's base32, lower case. The first character holds three bits
 * only.
 */
export const ID_SUFFIX_SHAPE = '[0-7][0-9a-hjkmnp-tv-z]{25}';
const SUFFIX = new RegExp(`^${ID_SUFFIX_SHAPE}$`);

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Two bits that are always zero and the 48 of the time are ten characters. */
const TIME_CHARACTERS = 10;
const COUNTER_BITS = 12;
/** Of the random part, besides the two bits beside the variant. */
const RANDOM_CHARACTERS = 12;

/** Milliseconds of the last id, their characters, and the number of ids that they have room for still. */
let lastTime = 0;
let timeText = '';
let counter = 0;

const randomBytes = new Uint8Array(4_096);
let randomAt = randomBytes.length;

/**
 * Makes a TypeID: the prefix and a UUIDv7 in base32 (https://github.com/jetify-com/typeid).
 * Ids of one process sort by the time they were made. An id is no secret and may be logged.
 * Every request has one, so it is not made by way of a UUID: within a millisecond a counter grows that begins at random in its lower
 * half (RFC 9562 section 6.2, method 1).
 */
export function newId(prefix: IdPrefix): string {
  nextPlace();
  const random = takeRandom();
  // Version 7, the counter, variant 10 and the first two random bits: 20 bits.
  const middle = (7 << 16) | (counter << 4) | 0b1000 | (randomBytes[random]! & 3);
  let text = `${prefix}_${timeText}${ALPHABET[middle >> 15]}${ALPHABET[(middle >> 10) & 31]}${ALPHABET[(middle >> 5) & 31]}${ALPHABET[middle & 31]}`;
  for (let index = 1; index <= RANDOM_CHARACTERS; index += 1) {
    text += ALPHABET[randomBytes[random + index]! & 31];
  }
  return text;
}

/** The next place in time: a clock that stands, or goes back, must not bring earlier ids. */
function nextPlace(): void {
  const now = Date.now();
  counter += 1;
  if (now <= lastTime && counter < 1 << COUNTER_BITS) return;
  lastTime = Math.max(now, lastTime + 1);
  const random = takeRandom();
  counter =
    ((randomBytes[random]! << 8) | randomBytes[random + 1]!) & ((1 << (COUNTER_BITS - 1)) - 1);
  timeText = '';
  for (let rest = lastTime; timeText.length < TIME_CHARACTERS; rest = Math.floor(rest / 32)) {
    timeText = ALPHABET[rest % 32] + timeText;
  }
}

/** Where in {@link randomBytes} there is enough for one id that has not been used. */
function takeRandom(): number {
  if (randomAt + RANDOM_CHARACTERS >= randomBytes.length) {
    randomFillSync(randomBytes);
    randomAt = 0;
  }
  const at = randomAt;
  randomAt += RANDOM_CHARACTERS + 1;
  return at;
}

/**
 * Makes the id of a person, from a UUIDv4: the time in a UUIDv7 would tell an organization that the
 * person whom it has just invited was there before.
 */
export function newPersonId(): string {
  return TypeID.fromUUID('usr', randomUUID()).toString();
}

/**
 * Says whether `text` is a TypeID with exactly this prefix. Strict, because ids come from URLs: no upper
 * case, no look-alike letters, no white space around it. It says nothing about the thing's existence.
 */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && SUFFIX.test(text.slice(prefix.length + 1));
}

/** What {@link isId} takes for any of these prefixes, as the source of a regular expression. */
export function idPattern(...prefixes: IdPrefix[]): string {
  const prefix = prefixes.length === 1 ? prefixes[0] : `(?:${prefixes.join('|')})`;
  return `^${prefix}_${ID_SUFFIX_SHAPE}$`;
}
