import { Injectable } from '@nestjs/common';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { DatabaseService, type RawStatement } from '../database/database.service.js';

interface PublishedKey {
  kid: string;
  publicKey: JWK;
}

/** Public keys that may verify now, newest first. */
const PUBLISHED: RawStatement = {
  name: 'verification_keys',
  text: `
    SELECT kid, public_key AS "publicKey" FROM signing_keys
    WHERE revoked_at IS NULL AND (verifies_until IS NULL OR verifies_until > clock_timestamp())
    ORDER BY created_at DESC, kid`,
};

/** The set is shown for so long without another look: clients may keep it for much longer. */
const SHOWN_FOR_MS = 5_000;

/**
 * The public keys of access tokens, in memory. They say whether a signature is good, not whether the key may still
 * be used: that is asked together with everything else that a token rests on.
 */
@Injectable()
export class VerificationKeys {
  private keys = new Map<string, CryptoKey>();
  private rows: PublishedKey[] = [];
  /** When the read began that found them. Like all times here `performance.now()`. */
  private readAt = -Infinity;
  /** When this process last changed a key. */
  private changedAt = -Infinity;
  private running: { since: number; done: Promise<void> } | undefined;
  private waiting: Promise<void> | undefined;

  constructor(private readonly database: DatabaseService) {}

  /**
   * The key with this id. For one that is not known the table is read, and never answered by a read that had begun before:
   * another instance may just have made the key. Errors: `DatabaseUnavailableError`.
   */
  async find(kid: string): Promise<CryptoKey | undefined> {
    if (!this.keys.has(kid)) await this.readFromNow();
    return this.keys.get(kid);
  }

  /**
   * The keys as a JWK set (RFC 7517 section 5): at most a few seconds old, and with all that this process has changed.
   * Errors: `DatabaseUnavailableError`.
   */
  async published(): Promise<{ keys: object[] }> {
    const since = Math.max(this.changedAt, performance.now() - SHOWN_FOR_MS);
    if (this.readAt <= since) {
      const { running } = this;
      await (running !== undefined && running.since > since ? running.done : this.readFromNow());
    }
    return {
      keys: this.rows.map(({ kid, publicKey }) => ({
        ...publicKey,
        kid,
        use: 'sig',
        alg: 'ES256',
      })),
    };
  }

  /** What has been read until now is not shown any more: this process has just changed a key. */
  refresh(): void {
    this.changedAt = performance.now();
  }

  /** A read that begins after this call. One runs and one waits at most, however many ask. */
  private readFromNow(): Promise<void> {
    const before = this.running?.done.catch(() => undefined) ?? Promise.resolve();
    return (this.waiting ??= before.then(() => {
      this.waiting = undefined;
      const since = performance.now();
      const done = this.read(since).finally(() => (this.running = undefined));
      this.running = { since, done };
      return done;
    }));
  }

  private async read(since: number): Promise<void> {
    const rows = await this.database.raw<PublishedKey>(PUBLISHED, []);
    const imported = rows.map(
      async ({ kid, publicKey }) =>
        [kid, (await importJWK(publicKey, 'ES256')) as CryptoKey] as const,
    );
    this.keys = new Map(await Promise.all(imported));
    this.rows = rows;
    this.readAt = since;
  }
}
