import { createSecretKey, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { deriveKey } from './derive.js';
import { HmacSha256 } from './hmac.js';
import type { TokenKind } from './token.js';

/** Length of the pepper and of everything made from it. */
export const PEPPER_BYTES = 32;

/** Compared against where nothing is stored, so that an unknown id costs what a wrong secret costs. */
const NOBODY = Buffer.alloc(PEPPER_BYTES);

/** The pepper is missing or unreadable; the message says what to do and holds nothing secret. */
export class PepperError extends Error {
  override readonly name = 'PepperError';
}

/**
 * The server's own secret, without which the stored token hashes are worth nothing. It stays outside the
 * database. The bytes are kept in private fields, so no inspection or serialization shows them.
 */
export class Pepper {
  readonly #key: KeyObject;
  readonly #mac: HmacSha256;

  /**
   * @param secret 32 bytes
   * @param version stored beside every hash, so that a pepper can be replaced step by step
   * @param previous the pepper that this one replaces, as long as tokens under it are accepted
   * @throws PepperError when the secret has another length
   */
  constructor(
    secret: Buffer,
    readonly version = 1,
    readonly previous?: Pepper,
  ) {
    if (secret.length !== PEPPER_BYTES) throw new PepperError('the pepper must have 32 bytes');
    this.#key = createSecretKey(secret);
    this.#mac = new HmacSha256(secret);
  }

  /**
   * HMAC-SHA-256 (RFC 2104) of `kind || 0x00 || token`: 32 bytes, what the database stores of a token. Nothing is stored of
   * an access token (`access`); its hash is what it is remembered by in memory.
   */
  hash(kind: TokenKind | 'access', token: string): Buffer {
    return this.#mac.digest(`${kind}\0${token}`);
  }

  /**
   * Under which pepper a stored hash is that of this token: this one or the one before; undefined: it is not, or nothing is stored.
   * Where nothing is stored that takes the time that another token's hash takes, which is one HMAC more while there is a previous
   * pepper. Compares in constant time.
   * @param hash {@link hash} of the token, where it has been made already
   */
  match(
    kind: TokenKind,
    token: string,
    stored: Uint8Array | null | undefined,
    hash = this.hash(kind, token),
  ): 'current' | 'previous' | undefined {
    if (sameHash(stored ?? NOBODY, hash) && stored != null) return 'current';
    return this.previous?.match(kind, token, stored) === undefined ? undefined : 'previous';
  }

  /** A key of its own for another purpose: see {@link deriveKey}. What must outlive the pepper hangs on `InstanceSecret`. */
  derive(purpose: string): Buffer {
    return deriveKey(this.#key, purpose);
  }

  /** 32 bytes that may be stored in the database, to recognise the pepper that it was made with. */
  checkValue(): Buffer {
    return this.derive('check-value');
  }
}

/** Compares two hashes in constant time. Different lengths are different hashes, not an error. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Reads a pepper as written in PEPPER or its file: 32 bytes in base64 (RFC 4648 §4), else `undefined`. */
export function decodePepper(text: string): Buffer | undefined {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, 'base64');
  // Node skips what is not base64; only the way back shows that nothing was skipped.
  return bytes.length === PEPPER_BYTES && bytes.toString('base64') === trimmed ? bytes : undefined;
}

/**
 * The pepper of the embedded mode, from `DATA_DIR/pepper` (base64, mode 0600). Makes one when there is none
 * and the database is new; it is on the disk before this returns, so no hash can outlive its pepper.
 * The caller holds the lock of the data directory.
 * @throws PepperError when the file is damaged, or missing although the database has data
 */
export function loadOrCreatePepper(dataDir: string, databaseIsNew: boolean): Buffer {
  const file = join(dataDir, 'pepper');
  const text = readIfThere(file);
  if (text === undefined) {
    if (databaseIsNew) return createPepper(dataDir, file);
    throw new PepperError(
      `${file} is missing, but the database in ${dataDir} was made with a pepper. Put the file back ` +
        'from a backup, or set PEPPER or PEPPER_FILE. Without it no token of this database can work.',
    );
  }
  const pepper = decodePepper(text);
  if (pepper) return pepper;
  throw new PepperError(`${file} is damaged: it must hold 32 bytes in base64. Restore a backup.`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PepperError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Writes beside the final name, then renames: a crash leaves a whole pepper or none. */
function createPepper(dataDir: string, file: string): Buffer {
  const pepper = randomBytes(PEPPER_BYTES);
  const unfinished = `${file}.${process.pid}.tmp`;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const handle = openSync(unfinished, 'wx', 0o600);
  try {
    writeSync(handle, `${pepper.toString('base64')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(unfinished, file);
  syncDirectory(dataDir);
  return pepper;
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
