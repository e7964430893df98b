import type { JWK } from 'jose';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

const SPKI = { format: 'der', type: 'spki' } as const;
const PKCS8 = { format: 'der', type: 'pkcs8' } as const;

/** What Node's `generateKeyPair` takes, by algorithm of JWS. */
const KINDS = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
  RS256: ['rsa', { modulusLength: 2048 }],
  PS512: ['rsa', { modulusLength: 2048 }],
} as const;

/** A new pair of keys. */
export interface KeyPair {
  publicKey: JWK;
  privateKey: KeyObject;
}

/** A pair for an algorithm. */
export function keyPairFor(alg: string): KeyPair {
  const [type, options] = KINDS[alg as keyof typeof KINDS];
  return newKeyPair(type, options);
}

/** A pair as Node makes it, whose objects are others than those that were generated, for the reason in src/signing-keys/sealed-key.ts. */
export function newKeyPair(type: string, options: object): KeyPair {
  const encodings = { publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 };
  const pair = (generateKeyPairSync as any)(type, { ...options, ...encodings });
  return {
    publicKey: createPublicKey({ key: pair.publicKey, ...SPKI }).export({ format: 'jwk' }),
    privateKey: createPrivateKey({ key: pair.privateKey, ...PKCS8 }),
  };
}
