import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { Pepper } from '../crypto/pepper.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

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
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicKey);
  const text = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, sealingKey(pepper), nonce).setAAD(Buffer.from(kid));
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  const sealedPrivateKey = new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), sealed]));
  return { kid, publicKey, sealedPrivateKey, pepperVersion: pepper.version };
}

/** The private key that was sealed for this id. Throws for any other bytes, id or pepper. */
export function openPrivateKey(pepper: Pepper, kid: string, sealed: Uint8Array): KeyObject {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, sealingKey(pepper), nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(kid))
    .setAuthTag(tag);
  const text = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
  const key = Buffer.concat([text, decipher.final()]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function sealingKey(pepper: Pepper): Buffer {
  return pepper.derive('signing-key');
}
