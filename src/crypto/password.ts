import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify, type Options } from '@node-rs/argon2';

/** Memory in KiB, passes, lanes: RFC 9106 §4, second recommended option, with one lane. */
const PARAMETERS = {
  algorithm: 2, // argon2id; the library's const enum is out of reach of isolated modules
  memoryCost: 64 * 1024,
  timeCost: 3,
  parallelism: 1,
  outputLen: 32,
} satisfies Options;

const MAX_BUSY = 2;
const MAX_QUEUED = 16;

/** Too many passwords are being checked; nothing was computed. To be answered 503 with `Retry-After`. */
export class PasswordsBusyError extends Error {
  override readonly name = 'PasswordsBusyError';
  constructor() {
    super('too many passwords are being checked at the moment');
  }
}

/**
 * Hashes and checks passwords with argon2id (RFC 9106; 64 MiB, 3 passes, 1 lane), at most 2 at once with 16
 * waiting, so that a flood of logins takes 128 MiB and two threads, never the server. One per process.
 * Never call it inside a transaction.
 */
export class PasswordHasher {
  #busy = 0;
  readonly #queue: (() => void)[] = [];
  /** Random salt and output: costs what a stored hash costs, and no password matches it. */
  readonly #dummy = dummyHash();

  /**
   * Hashes a password for storage, as a PHC string with a salt of its own.
   * @throws PasswordsBusyError at once when 2 are busy and 16 wait
   */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(normalized(password), PARAMETERS));
  }

  /**
   * Says whether the password is the one of this hash. For `null` (no such user, or no password set) and for
   * a malformed hash it does the same work and says false.
   * @throws PasswordsBusyError at once when 2 are busy and 16 wait
   */
  verify(storedHash: string | null, password: string): Promise<boolean> {
    const usable = storedHash !== null && isWellFormed(storedHash);
    return this.#inTurn(async () => {
      const matches = await verify(usable ? storedHash : this.#dummy, normalized(password));
      return usable && matches;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#busy < MAX_BUSY) {
      this.#busy++;
      return undefined;
    }
    if (this.#queue.length >= MAX_QUEUED) throw new PasswordsBusyError();
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Hands the place to the next in the queue; only without one does it become free. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#busy--;
  }
}

/** One form for all ways of typing a character (NIST SP 800-63B asks for NFKC or NFKD). */
function normalized(password: string): string {
  return password.normalize('NFKC');
}

function isWellFormed(storedHash: string): boolean {
  try {
    parseOptions(storedHash);
    return true;
  } catch {
    return false;
  }
}

function dummyHash(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = PARAMETERS;
  const base64 = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(16)}$${base64(outputLen)}`;
}
