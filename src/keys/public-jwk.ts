import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { fault, type FieldCheck } from '../http/validators.js';
import type { FieldError } from '../http/problem.js';

/** A public key that assertions can be verified with (RFC 7517), without anything that is not needed for that. */
export interface PublicJwk {
  kty: 'EC' | 'OKP' | 'RSA';
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
  /** The one algorithm that it is for; absent: any that fits. */
  alg?: string;
}

/** Members of private and symmetric keys, of all types (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** What belongs to the public key of each type, in the order of its thumbprint (RFC 7638). */
const PUBLIC_MEMBERS = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
} as const;

const BY_CURVE: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  Ed25519: ['EdDSA', 'Ed25519'],
};
const RSA_ALGORITHMS = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
/** All algorithms in which a client may sign. */
export const ASSERTION_ALGORITHMS = [...Object.values(BY_CURVE).flat(), ...RSA_ALGORITHMS];

const MIN_RSA_BITS = 2_048;
/** Verifying takes longer with every bit. */
const MAX_RSA_BITS = 8_192;
const MIN_RSA_EXPONENT = 65_537n;

/** How the numbers of a key are written (RFC 7518 section 6), and how long they are at most: P-384, and the bits of RSA. */
export const BASE64URL = /^[A-Za-z0-9_-]+$/;
export const MAX_MEMBER_LENGTH = { x: 64, y: 64, n: 1_366, e: 1_366 } as const;

const KINDS = 'Must be a public key as a JWK: EC (P-256 or P-384), OKP (Ed25519) or RSA.';

/** The check of `publicKey`: a public key of a kind that is strong enough, and nothing of the private one. */
export const publicJwkFaults: FieldCheck = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault('wrong_type', KINDS);
  }
  const jwk = value as Record<string, unknown>;
  const secret = PRIVATE_MEMBERS.find((member) => Object.hasOwn(jwk, member));
  if (secret !== undefined) {
    const detail =
      'This belongs to the private key, which nobody else may have: make a new key pair, and send its public key only.';
    return fault('private_key', detail, `/${secret}`);
  }
  const algorithms = fittingAlgorithms(jwk);
  if (algorithms === undefined) return fault('not_allowed', KINDS);
  return [...keyFaults(jwk), ...useFaults(jwk, algorithms)];
};

/** The valid `publicKey` in its one canonical form. */
export function toPublicJwk(value: object): PublicJwk {
  const jwk = value as JsonWebKey;
  const { alg } = jwk;
  const { kty, crv, x, y, n, e } = createPublicKey({ key: jwk, format: 'jwk' }).export({
    format: 'jwk',
  }) as PublicJwk;
  const members = { kty, crv, x, y, n, e, ...(typeof alg === 'string' ? { alg } : {}) };
  return JSON.parse(JSON.stringify(members)) as PublicJwk;
}

/** The algorithms (RFC 7518, RFC 8037, RFC 9864) in which a key may have signed. */
export function algorithmsOf(jwk: PublicJwk): readonly string[] {
  return jwk.alg === undefined ? (fittingAlgorithms(jwk) ?? []) : [jwk.alg];
}

/** The thumbprint of a key (RFC 7638, SHA-256, base64url): what it can be recognised by. */
export function thumbprintOf(jwk: PublicJwk): string {
  const members = PUBLIC_MEMBERS[jwk.kty].map((member) => [member, jwk[member as keyof PublicJwk]]);
  const text = JSON.stringify(Object.fromEntries(members));
  return createHash('sha256').update(text).digest('base64url');
}

function fittingAlgorithms({ kty, crv }: { kty?: unknown; crv?: unknown }) {
  if (kty === 'RSA') return RSA_ALGORITHMS;
  if (typeof crv !== 'string' || !Object.hasOwn(BY_CURVE, crv)) return undefined;
  return kty === (crv === 'Ed25519' ? 'OKP' : 'EC') ? BY_CURVE[crv] : undefined;
}

/** Node also reads base64 of other kinds, and takes what surrounds the digits for nothing. */
function spellingFaults(jwk: Record<string, unknown>): FieldError[] {
  return Object.entries(MAX_MEMBER_LENGTH).flatMap(([member, maxLength]) => {
    const value = jwk[member];
    if (value === undefined) return [];
    if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.', `/${member}`);
    if (value.length > maxLength) {
      return fault('too_long', `Must have at most ${maxLength} characters.`, `/${member}`);
    }
    return BASE64URL.test(value)
      ? []
      : fault('invalid_format', 'Must be base64url without padding.', `/${member}`);
  });
}

function keyFaults(jwk: Record<string, unknown>): FieldError[] {
  const misspelt = spellingFaults(jwk);
  if (misspelt.length > 0) return misspelt;
  const key = readKey(jwk);
  if (key === undefined) return fault('invalid_format', `${KINDS} This one cannot be read.`);
  if (key.asymmetricKeyType !== 'rsa') return [];
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    const detail = `Must have ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits.`;
    return fault(modulusLength < MIN_RSA_BITS ? 'too_short' : 'too_long', detail, '/n');
  }
  if (publicExponent >= MIN_RSA_EXPONENT && publicExponent % 2n === 1n) return [];
  return fault('too_small', `Must be odd and at least ${MIN_RSA_EXPONENT}.`, '/e');
}

function useFaults({ use, alg }: Record<string, unknown>, algorithms: readonly string[]) {
  if (use !== undefined && use !== 'sig') return fault('not_allowed', 'Must be sig.', '/use');
  if (alg === undefined || algorithms.includes(alg as string)) return [];
  return fault('not_allowed', `Must be one of: ${algorithms.join(', ')}.`, '/alg');
}

/** Undefined for what is no key: a point that is not on the curve, say. */
function readKey(jwk: object): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}
