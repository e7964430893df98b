import { LRUCache } from 'lru-cache';
import type { KeyCredential } from './credentials.js';

/** Roughly what an entry takes besides its lists, and each of their texts besides its characters. */
const BYTES_OF_AN_ENTRY = 1_000;
const BYTES_OF_A_TEXT = 64;

/** The credentials that were used last, by the hash of their token. What is in it may have ended: the audit gate finds out. */
export class CredentialCache {
  private readonly entries: LRUCache<string, KeyCredential>;

  /** At most so many entries, of so many bytes together, roughly: some credentials hold hundreds of permissions. */
  constructor(entries: number, bytes: number) {
    this.entries = new LRUCache({ max: entries, maxSize: bytes, sizeCalculation: bytesOf });
  }

  get(hash: Buffer): KeyCredential | undefined {
    return this.entries.get(nameOf(hash));
  }

  set(hash: Buffer, credential: KeyCredential): void {
    this.entries.set(nameOf(hash), credential);
  }

  delete(hash: Buffer): void {
    this.entries.delete(nameOf(hash));
  }
}

function nameOf(hash: Buffer): string {
  return hash.toString('base64');
}

function bytesOf(credential: KeyCredential): number {
  const { permissions, keyPermissions, allowedCidrs, scope, accessToken } = credential;
  const lists = [permissions, keyPermissions, allowedCidrs, scope, accessToken?.audience];
  let bytes = BYTES_OF_AN_ENTRY;
  for (const list of lists) {
    for (const text of list ?? []) bytes += BYTES_OF_A_TEXT + text.length;
  }
  return bytes;
}
