import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { deriveKey } from './derive.js';
import type { Pepper } from './pepper.js';
import { openBytes, sealBytes } from './sealed.js';

const SECRET_BYTES = 32;
const PURPOSE = 'instance-secret';

/**
 * The secret of what must outlive a pepper: the seals of the trail and the key of its checkpoints, which nobody can make anew,
 * cursors, and answers kept for retries. It lies in the database, sealed under the pepper, and is sealed anew when that is replaced.
 * Like the pepper's, its bytes are shown by no inspection or serialization.
 */
export class InstanceSecret {
  readonly #key: KeyObject;

  /** @param bytes 32 of them */
  constructor(bytes: Uint8Array) {
    this.#key = createSecretKey(bytes);
  }

  /** One for a new database. */
  static make(): InstanceSecret {
    return new InstanceSecret(randomBytes(SECRET_BYTES));
  }

  /** The secret that was sealed under this pepper for the database with this `uid`. Throws for any other. */
  static open(pepper: Pepper, uid: string, sealed: Uint8Array): InstanceSecret {
    return new InstanceSecret(openBytes(pepper.derive(PURPOSE), sealed, uid));
  }

  /** The secret as the database with this `uid` may store it. */
  sealed(pepper: Pepper, uid: string): Uint8Array<ArrayBuffer> {
    return sealBytes(pepper.derive(PURPOSE), this.#key.export(), uid);
  }

  /** A key for one purpose: see {@link deriveKey}. */
  derive(purpose: string): Buffer {
    return deriveKey(this.#key, purpose);
  }
}
