import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { toBase62, uint32ToBase62 } from './base62.js';
import { ID_SUFFIX_LENGTH, ID_SUFFIX_SHAPE, isId, type IdPrefix } from './id.js';

/** The hash domains: a hash of one kind never matches a token shown as another kind. */
export type TokenKind = 'key' | 'session' | 'cookie' | 'invitation' | 'setup' | 'reset';

/**
 * What a token's prefix tells: `clv` keys, `clvs` sessions, `clvc` sessions that live in a cookie, `clvi` what works once
 * (invitation, set-up, reset).
 */
export type TokenFamily = 'key' | 'session' | 'cookie' | 'once';

/** What a well-formed token says of itself. Nothing here is verified yet. */
export interface ParsedToken {
  family: TokenFamily;
  /** The 26 characters of the TypeID after its prefix. Safe to log. */
  suffix: string;
}

/** Shape of a product prefix (`TOKEN_PREFIX`); families append at most one letter to it. */
export const TOKEN_PREFIX_SHAPE = /^[a-z][a-z0-9]{1,9}$/;

const SECRET_BYTES = 32;
const SECRET_LENGTH = 43; // 62^43 > 2^256
const CHECKSUM_LENGTH = 6; // 62^6 > 2^32
const TAIL_LENGTH = SECRET_LENGTH + CHECKSUM_LENGTH;
const BODY_LENGTH = 1 + ID_SUFFIX_LENGTH + 1 + TAIL_LENGTH;

const BODY_SHAPE = `_${ID_SUFFIX_SHAPE}_[0-9A-Za-z]{${TAIL_LENGTH}}`;
const BODY = new RegExp(`^${BODY_SHAPE}$`);

/** All tokens, of any product prefix, as the source of a regular expression; the longest has so many characters. */
export const TOKEN_PATTERN = `^[a-z][a-z0-9]{1,10}${BODY_SHAPE}$`;
export const MAX_TOKEN_LENGTH = 11 + BODY_LENGTH;

const KINDS: Record<TokenKind, { marker: string; idPrefix: IdPrefix }> = {
  key: { marker: '', idPrefix: 'key' },
  session: { marker: 's', idPrefix: 'ses' },
  cookie: { marker: 'c', idPrefix: 'ses' },
  invitation: { marker: 'i', idPrefix: 'inv' },
  setup: { marker: 'i', idPrefix: 'stp' },
  reset: { marker: 'i', idPrefix: 'rst' },
};

const FAMILIES = new Map<string, TokenFamily>([
  ['', 'key'],
  ['s', 'session'],
  ['c', 'cookie'],
  ['i', 'once'],
]);

/**
 * Makes a new token for the row with this id:
 * `<prefix>_<id suffix>_<32 random bytes in base62><CRC-32 of all before in base62>`.
 * It is the only place where the secret exists in the clear: show it once, store its hash.
 * @param productPrefix shape `TOKEN_PREFIX_SHAPE`, e.g. `clv`
 * @param id a TypeID of the kind's own prefix (`key_`, `ses_`, `inv_`, `stp_`, `rst_`)
 * @throws TypeError when prefix or id are of another shape (a programming error)
 */
export function createToken(productPrefix: string, kind: TokenKind, id: string): string {
  const { marker, idPrefix } = KINDS[kind];
  if (!TOKEN_PREFIX_SHAPE.test(productPrefix)) throw new TypeError('not a token prefix');
  if (!isId(idPrefix, id)) throw new TypeError(`a ${kind} token needs an id ${idPrefix}_…`);
  const suffix = id.slice(idPrefix.length + 1);
  const secret = toBase62(randomBytes(SECRET_BYTES), SECRET_LENGTH);
  const unchecked = `${productPrefix}${marker}_${suffix}_${secret}`;
  return unchecked + checksum(unchecked);
}

/**
 * Reads a token without any look-up: its shape, its prefix, its CRC-32. A mistyped token ends here.
 * Never throws; `undefined` for everything that this server cannot have made, trailing newlines included.
 */
export function parseToken(productPrefix: string, text: string): ParsedToken | undefined {
  const bodyStart = text.length - BODY_LENGTH;
  if (bodyStart < productPrefix.length || !text.startsWith(productPrefix)) return undefined;
  const family = FAMILIES.get(text.slice(productPrefix.length, bodyStart));
  if (family === undefined || !BODY.test(text.slice(bodyStart))) return undefined;
  const checksumStart = text.length - CHECKSUM_LENGTH;
  if (checksum(text.slice(0, checksumStart)) !== text.slice(checksumStart)) return undefined;
  return { family, suffix: text.slice(bodyStart + 1, bodyStart + 1 + ID_SUFFIX_LENGTH) };
}

/**
 * The form of a token that may be stored and shown: its prefix and the last four characters, `clv_…AbCd`.
 * Those four belong to the checksum. Text that is no whole token becomes `…`.
 */
export function obfuscateToken(token: string): string {
  const bodyStart = token.length - BODY_LENGTH;
  if (bodyStart < 1 || !BODY.test(token.slice(bodyStart))) return '…';
  return `${token.slice(0, bodyStart)}_…${token.slice(-4)}`;
}

/**
 * What follows the prefix of a token-like text, whatever the prefix. Wider than a token on purpose: a secret
 * that was cut short, mistyped in its id or percent-encoded (`%5F`, as OAuth clients do with underscores) is
 * still a secret. It starts at the underscore, so that text without tokens is passed over quickly.
 */
const TOKEN_LIKE = /(?:_|%5[Ff])[0-9A-Za-z]{26}(?:_|%5[Ff])([0-9A-Za-z]+)/g;

/** A JWT, whole or cut: header, payload and what there is of the signature. */
const JWT_LIKE = /eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g;

/**
 * Replaces everything in `text` that looks like a token, whole or cut, by its obfuscated form, so that the
 * text can be logged. A whole one becomes `clv_…AbCd`, any other `clv_…`, a JWT `eyJ…`. Ids stay as they are.
 */
export function redactTokens(text: string): string {
  if (text.length <= ID_SUFFIX_LENGTH) return text;
  const redacted = text.replace(TOKEN_LIKE, (_match, tail: string) =>
    tail.length === TAIL_LENGTH ? `_…${tail.slice(-4)}` : '_…',
  );
  return redacted.includes('eyJ') ? redacted.replace(JWT_LIKE, 'eyJ…') : redacted;
}

function checksum(text: string): string {
  return uint32ToBase62(crc32(text), CHECKSUM_LENGTH);
}
