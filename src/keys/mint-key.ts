import { newId } from '../crypto/id.js';
import { createToken, obfuscateToken } from '../crypto/token.js';
import type { Instance } from '../database/instance.js';

/** A new key's id and secret. Made before the transaction that stores it opens. */
export interface MintedKey {
  id: string;
  /** In the clear: for the one answer that shows it, and for nothing else. */
  token: string;
  /** What is stored. */
  stored: {
    tokenHash: Uint8Array<ArrayBuffer>;
    pepperVersion: number;
    obfuscatedToken: string;
  };
}

/** Makes an id and a token, and hashes the token under the instance's pepper. */
export function mintKey({ tokenPrefix, pepper }: Instance): MintedKey {
  const id = newId('key');
  const token = createToken(tokenPrefix, 'key', id);
  const stored = {
    tokenHash: new Uint8Array(pepper.hash('key', token)),
    pepperVersion: pepper.version,
    obfuscatedToken: obfuscateToken(token),
  };
  return { id, token, stored };
}
