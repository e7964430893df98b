import { createHmac, hkdfSync } from 'node:crypto';
import { SYSTEM_CHAIN } from '../audit/event.js';
import type { Credential } from '../auth/credentials.js';
import type { InstanceSecret } from '../crypto/instance-secret.js';
import { openBytes, sealBytes } from '../crypto/sealed.js';

/** Keys made from the instance's secret, each for one purpose. */
export interface ReplaySecrets {
  keyHash: Buffer;
  fingerprint: Buffer;
  seal: Buffer;
}

/** The keys of this instance. */
export function replaySecrets(secret: InstanceSecret): ReplaySecrets {
  return {
    keyHash: secret.derive('idempotency-key'),
    fingerprint: secret.derive('idempotency-fingerprint'),
    seal: secret.derive('idempotency-seal'),
  };
}

/** What a retry must have in common with the first request. */
export interface RequestShape {
  method: string;
  /** The route's template. */
  route: string;
  params: unknown;
  query: unknown;
  /** Parsed; undefined for none. */
  body: unknown;
}

/** One request that named an `Idempotency-Key`. */
export interface IdempotentRequest {
  /** See {@link placeOf}. */
  organizationId: string;
  /** The key or session that asks. */
  credentialId: string;
  /** The credential itself, as it was presented. */
  token: string;
  /** The value of the header. */
  idempotencyKey: string;
  shape: RequestShape;
}

/**
 * Where the answer to one request is kept for its retries, and what opens it. The answer is sealed with AES-256-GCM under
 * HKDF-SHA-256 (RFC 5869) of the instance's secret, token and idempotency key: neither the database nor the database together
 * with the pepper opens it, only who presents the token again. Pure, but for the random nonce.
 */
export class IdempotencyScope {
  readonly organizationId: string;
  readonly credentialId: string;
  /** 32 bytes: the idempotency key, as it may be stored. */
  readonly keyHash: Buffer;
  /** 32 bytes: equal for equal requests. */
  readonly fingerprint: Buffer;
  /** What became of the request: `replayed` got the answer of an earlier one, `stored` made a new one. */
  outcome: 'replayed' | 'stored' | undefined;
  readonly #sealKey: Buffer;

  constructor(secrets: ReplaySecrets, request: IdempotentRequest) {
    const { idempotencyKey, token } = request;
    this.organizationId = request.organizationId;
    this.credentialId = request.credentialId;
    this.keyHash = hmac(secrets.keyHash, idempotencyKey);
    this.fingerprint = hmac(secrets.fingerprint, canonicalJson(request.shape));
    const info = `claviger:idempotency:${idempotencyKey}`;
    this.#sealKey = Buffer.from(hkdfSync('sha256', token, secrets.seal, info, 32));
  }

  /** The answer as it may be stored: nonce, tag, ciphertext. */
  seal(answer: string): Uint8Array<ArrayBuffer> {
    return sealBytes(this.#sealKey, Buffer.from(answer), this.place());
  }

  /** The answer that {@link seal} made for this very request. Throws for any other bytes. */
  open(sealed: Uint8Array): string {
    return openBytes(this.#sealKey, sealed, this.place()).toString('utf8');
  }

  /** So that an answer cannot be moved to another record. */
  private place(): Buffer {
    const ids = Buffer.from(`${this.organizationId}\0${this.credentialId}\0`);
    return Buffer.concat([ids, this.keyHash, this.fingerprint]);
  }
}

/**
 * Where a request's record lies: in the organization that the path names, else in the account's own, whose transaction
 * does the work (`/v1/me/…`), else in `system`.
 */
export function placeOf(params: unknown, credential: Credential): string {
  const { organizationId } = (params ?? {}) as { organizationId?: string };
  if (organizationId !== undefined) return organizationId;
  return credential.kind === 'key' ? credential.organizationId : SYSTEM_CHAIN;
}

/** JSON with the members of every object in one order, so that their order in the request does not matter. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
