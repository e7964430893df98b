import { Injectable } from '@nestjs/common';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { DatabaseService, type RawStatement } from '../database/database.service.js';

/** Public keys that may verify now. */
const PUBLISHED: RawStatement = {
  name: 'verification_keys',
  text: `
    SELECT kid, public_key AS "publicKey" FROM signing_keys
    WHERE revoked_at IS NULL AND (verifies_until IS NULL OR verifies_until > clock_timestamp())`,
};

/** Whoever sends tokens with invented key ids causes one query in so many milliseconds. */
const REFRESH_AFTER_MS = 5_000;

/**
 * The public keys of access tokens, in memory. They say whether a signature is good, not whether the key may still
 * be used: that is asked together with everything else that a token rests on.
 */
@Injectable()
export class VerificationKeys {
  private keys = new Map<string, CryptoKey>();
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(private readonly database: DatabaseService) {}

  /**
   * The key with this id. An unknown one makes the table be read, at most once in a few seconds. Errors:
   * `DatabaseUnavailableError`.
   */
  async find(kid: string): Promise<CryptoKey | undefined> {
    if (!this.keys.has(kid) && performance.now() - this.readAt >= REFRESH_AFTER_MS) {
      this.reading ??= this.read().finally(() => (this.reading = undefined));
      await this.reading;
    }
    return this.keys.get(kid);
  }

  /** Has the next unknown id looked up at once: this process has just made a key. */
  refresh(): void {
    this.readAt = -Infinity;
  }

  private async read(): Promise<void> {
    const rows = await this.database.raw<{ kid: string; publicKey: JWK }>(PUBLISHED, []);
    const imported = rows.map(
      async ({ kid, publicKey }) =>
        [kid, (await importJWK(publicKey, 'ES256')) as CryptoKey] as const,
    );
    this.keys = new Map(await Promise.all(imported));
    this.readAt = performance.now();
  }
}
