import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signEd25519,
  verify as verifyEd25519,
} from 'node:crypto';
import type { InstanceSecret } from '../crypto/instance-secret.js';

/** Where a chain stands. */
export interface Head {
  chain: string;
  sequence: bigint;
  hash: Uint8Array;
}

/** Where a chain stood at a time. */
export interface Checkpoint {
  /** Which database: the `uid` of its instance. A copy of it has the same. */
  instance: string;
  /** An organization's id, or `system`. */
  chain: string;
  sequence: number;
  /** Hex SHA-256 of the event with this sequence. */
  hash: string;
  /** RFC 3339; by the clock of the process that signed. */
  at: string;
  /** Only where the chain had been longer, and somebody has accepted that it was set back: how long. */
  setBackFrom?: number;
}

/**
 * A checkpoint as it is kept and handed out: anybody who has the public key can check it, and nobody with the database alone make
 * it.
 */
export interface SignedCheckpoint {
  checkpoint: Checkpoint;
  /** The public key, 32 bytes in base64url. */
  key: string;
  /** Ed25519 (RFC 8032), 64 bytes in base64url. */
  signature: string;
}

/** DER of a private (RFC 8410 section 7) and of a public (section 4) Ed25519 key, before the key's 32 bytes. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** Signs checkpoints and tombstones with a key that comes of the instance's secret, so that all instances have the same. */
export class CheckpointSigner {
  /** The public key, 32 bytes in base64url. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /** @param seed 32 bytes, `secret.derive('audit-checkpoint')` */
  constructor(seed: Buffer) {
    const key = Buffer.concat([PRIVATE_DER, seed]);
    this.#key = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const der = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.publicKey = der.subarray(PUBLIC_DER.length).toString('base64url');
  }

  sign(checkpoint: Checkpoint): SignedCheckpoint {
    return { checkpoint, ...this.signText(signedText(checkpoint)) };
  }

  /** The key, and its signature of a text: see the members of {@link SignedCheckpoint}. */
  signText(text: Buffer): { key: string; signature: string } {
    const signature = signEd25519(null, text, this.#key).toString('base64url');
    return { key: this.publicKey, signature };
  }
}

/** The signer of a server's checkpoints. */
export function signerOf(secret: InstanceSecret): CheckpointSigner {
  return new CheckpointSigner(secret.derive('audit-checkpoint'));
}

/** A checkpoint of the place where a chain stands. `at`: RFC 3339. */
export function checkpointOf(
  instance: string,
  { chain, sequence, hash }: Head,
  at: string,
): Checkpoint {
  const hex = Buffer.from(hash).toString('hex');
  return { instance, chain, sequence: Number(sequence), hash: hex, at };
}

/** Whether the key that it names has signed it. Whose key that is, is for the caller to know. */
export function isSigned({ checkpoint, key, signature }: SignedCheckpoint): boolean {
  return isSignedText(signedText(checkpoint), key, signature);
}

/** Whether a key (32 bytes in base64url) has signed a text. */
export function isSignedText(text: Buffer, key: string, signature: string): boolean {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length !== 32) return false;
  const der = { key: Buffer.concat([PUBLIC_DER, bytes]), format: 'der', type: 'spki' } as const;
  return verifyEd25519(null, text, createPublicKey(der), Buffer.from(signature, 'base64url'));
}

/** The checkpoint in a line of JSON, or undefined for a line of something else: checkpoints may stand among log lines. */
export function parseCheckpoint(line: string): SignedCheckpoint | undefined {
  const signed = parseSigned<Checkpoint>(line, 'checkpoint', isCheckpoint);
  return signed && { checkpoint: signed.member, key: signed.key, signature: signed.signature };
}

/** The member of this name, key and signature in a line of JSON; undefined where one of them is missing or is something else. */
export function parseSigned<T>(
  line: string,
  name: string,
  is: (member: Partial<T> | undefined) => member is T,
): { member: T; key: string; signature: string } | undefined {
  if (!line.includes(`"${name}"`)) return undefined;
  try {
    const { [name]: found, key, signature } = JSON.parse(line) as Record<string, unknown>;
    const member = found as Partial<T> | undefined;
    if (!is(member) || typeof key !== 'string' || typeof signature !== 'string') return undefined;
    return { member, key, signature };
  } catch {
    return undefined;
  }
}

function isCheckpoint(value: Partial<Checkpoint> | undefined): value is Checkpoint {
  const texts = [value?.instance, value?.chain, value?.hash, value?.at];
  const numbers = [value?.sequence, value?.setBackFrom ?? 0];
  return texts.every((text) => typeof text === 'string') && numbers.every(Number.isSafeInteger);
}

/** What is signed: every member on a line of its own, so that no two checkpoints have the same text. */
function signedText({ instance, chain, sequence, hash, at, setBackFrom }: Checkpoint): Buffer {
  return linesOf(['claviger checkpoint 1', instance, chain, sequence, hash, at, setBackFrom ?? '']);
}

/** A text to be signed: the first line says of what kind it is. */
export function linesOf(lines: readonly (string | number)[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}
