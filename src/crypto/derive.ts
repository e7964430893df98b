import { hkdfSync, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;

/**
 * A key for one purpose, e.g. `cursor`: HKDF-SHA-256 (RFC 5869), 32 bytes. Same secret and purpose, same key; keys of two
 * purposes tell nothing of each other or of the secret.
 */
export function deriveKey(secret: KeyObject, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `claviger:${purpose}`, KEY_BYTES));
}
