import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import { type Check, judgeKey, type RefusedKey, refusedKey } from './credentials.js';
import {
  ASSERTING_KEY_STATEMENT,
  type AssertingKeyRow,
  USE_ASSERTION_STATEMENT,
} from './credentials.sql.js';

/** A key with a public key, as the database has it now. */
export interface AssertingKey {
  /** A valid JWK. */
  publicKey: unknown;
  /** What time it is for the database, in Unix milliseconds. */
  now: number;
  organizationId: string;
  accountId: string;
  /** What is known of the key while nothing has been verified. */
  unverified: RefusedKey;
  /** What is to be said when the caller has shown that it holds the private key. Never from the cache. */
  check: Check;
}

/** Keys that authenticate by assertions (RFC 7523): looked up by their id, always in the database. */
@Injectable()
export class AssertingKeys {
  constructor(private readonly database: DatabaseService) {}

  /** The key with this id; undefined where there is none, or it has a token. Errors: `DatabaseUnavailableError`. */
  async find(keyId: string): Promise<AssertingKey | undefined> {
    const [row] = await this.database.raw<AssertingKeyRow>(ASSERTING_KEY_STATEMENT, [keyId]);
    if (row === undefined || row.publicKey === null) return undefined;
    const { publicKey, now, organizationId, accountId } = row;
    const unverified = refusedKey(row, false);
    return { publicKey, now, organizationId, accountId, unverified, check: judgeKey(row, true) };
  }

  /**
   * Uses an assertion up, on all instances: false when it was used before. It is remembered until `expiresAt` (Unix
   * milliseconds). Errors: `DatabaseUnavailableError`.
   */
  async use(
    { organizationId, unverified }: AssertingKey,
    jti: string,
    expiresAt: number,
  ): Promise<boolean> {
    const hash = createHash('sha256').update(jti).digest();
    const values = [organizationId, unverified.keyId, hash, expiresAt];
    return (await this.database.raw(USE_ASSERTION_STATEMENT, values)).length === 1;
  }
}
