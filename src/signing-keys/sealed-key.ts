import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { Pepper } from '../crypto/pepper.js';
import { openBytes, sealBytes } from '../crypto/sealed.js';

/** A new key pair as it may be stored. */
export interface SealedKeyPair {
  kid: string;
  publicKey: JsonWebKey;
  /** Nonce, tag, PKCS #8 under AES-256-GCM. */
  sealedPrivateKey: Uint8Array<ArrayBuffer>;
  pepperVersion: number;
}

/** Makes a key pair for ES256, its private key sealed under the pepper and bound to its id. */
export async function makeSealedKeyPair(pepper: Pepper): Promise<SealedKeyPair> {
  // Not as key objects: Node 20 stands still for ever when one is exported as a JWK just as what has generated it is collected, for
  // both want the same lock.
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  const opened = createPublicKey({ key: pair.publicKey, format: 'der', type: 'spki' });
  const publicKey = opened.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicKey);
  const sealedPrivateKey = sealBytes(sealingKey(pepper), pair.privateKey, kid);
  return { kid, publicKey, sealedPrivateKey, pepperVersion: pepper.version };
}

/**
 * The private key that was sealed for this id, under this pepper or the one before. Throws for any other bytes, id or
 * pepper.
 */
export function openPrivateKey(pepper: Pepper, kid: string, sealed: Uint8Array): KeyObject {
  return createPrivateKey({ key: open(pepper, kid, sealed), format: 'der', type: 'pkcs8' });
}

/** The same private key sealed under this pepper. Throws as {@link openPrivateKey} does. */
export function resealPrivateKey(
  pepper: Pepper,
  kid: string,
  sealed: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return sealBytes(sealingKey(pepper), open(pepper, kid, sealed), kid);
}

function open(pepper: Pepper, kid: string, sealed: Uint8Array): Buffer {
  try {
    return openBytes(sealingKey(pepper), sealed, kid);
  } catch (error) {
    if (pepper.previous === undefined) throw error;
    return openBytes(sealingKey(pepper.previous), sealed, kid);
  }
}

function sealingKey(pepper: Pepper): Buffer {
  return pepper.derive('signing-key');
}
