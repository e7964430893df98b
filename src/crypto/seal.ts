import { HmacSha256 } from './hmac.js';

const SEAL_BYTES = 16;

/**
 * What makes the audit trail evidence against somebody who holds the database: HMACs under a key that
 * is not in it. An event's seal covers chain and body, so no event can be edited or invented; a
 * head's seal covers place and hash, so that the chain up to there cannot be put together anew.
 */
export class Seals {
  readonly #mac: HmacSha256;

  /** @param key 32 bytes, `secret.derive('audit-seal')`. */
  constructor(key: Buffer) {
    this.#mac = new HmacSha256(key);
  }

  /** The seal of an event: 16 bytes of HMAC-SHA-256 in base64url, 22 characters. */
  event(chain: string, body: string): string {
    return this.make(`event\0${chain}\0${body}`);
  }

  /** The seal of the place that a chain had reached; in the form of {@link event}. */
  head(chain: string, sequence: bigint, hash: Uint8Array): string {
    return this.make(`head\0${chain}\0${sequence}\0${Buffer.from(hash).toString('hex')}`);
  }

  private make(text: string): string {
    return this.#mac.digest(text).subarray(0, SEAL_BYTES).toString('base64url');
  }
}
