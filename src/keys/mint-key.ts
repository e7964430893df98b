import { newId } from '../crypto/id.js';
import { createToken, obfuscateToken } from '../crypto/token.js';
import type { Instance } from '../database/instance.js';
import { type PublicJwk, toPublicJwk } from './public-jwk.js';

/** A new key's id and secret. Made before the transaction that stores it opens. */
export interface MintedKey {
  id: string;
  /** In the clear: for the one answer that shows it, and for nothing else. Null: the key has a public key instead. */
  token: string | null;
  /** What is stored: of a token its hash, or the public key. */
  stored:
    | {
        tokenHash: Uint8Array<ArrayBuffer>;
        pepperVersion: number;
        obfuscatedToken: string;
      }
    | { publicKey: Readonly<PublicJwk> & Record<string, string | undefined> };
}

/**
 * Makes an id and a token, and hashes the token under the instance's pepper. With a public key, already found valid,
 * there is no token.
 */
export function mintKey({ tokenPrefix, pepper }: Instance, publicKey?: object): MintedKey {
  const id = newId('key');
  if (publicKey !== undefined) {
    return { id, token: null, stored: { publicKey: { ...toPublicJwk(publicKey) } } };
  }
  const token = createToken(tokenPrefix, 'key', id);
  const stored = {
    tokenHash: new Uint8Array(pepper.hash('key', token)),
    pepperVersion: pepper.version,
    obfuscatedToken: obfuscateToken(token),
  };
  return { id, token, stored };
}
