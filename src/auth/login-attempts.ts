import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { ABNORMAL_USAGE, sourceOf } from '../audit/floods.js';
import { PasswordsBusyError } from '../crypto/password.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Instance } from '../database/instance.js';
import { Problem } from '../http/problem.js';
import {
  COUNT_ATTEMPT_STATEMENT,
  TAKE_BACK_ATTEMPT_STATEMENT,
  WAIT_STATEMENT,
} from './login-attempts.sql.js';

/** One password that somebody tries; it counts as wrong until {@link LoginAttempts.succeed} says otherwise. */
export interface LoginAttempt {
  /** HMAC of the e-mail and the address, under a key that is not in the database. */
  keyHash: Buffer;
}

/**
 * Slows guesses of passwords down, for all instances together, in the database and by its clock: after 5 failures for one e-mail
 * from one address (of IPv6, a /64) the next attempt has to wait, longer each time, up to 15 minutes. E-mails are counted whether
 * anybody has them or not, so that a refusal does not tell. Nobody is locked out: other addresses go on, and waits end.
 */
@Injectable()
export class LoginAttempts {
  private readonly key: Buffer;

  constructor(
    private readonly database: DatabaseService,
    instance: Instance,
  ) {
    this.key = instance.secret.derive('login-attempts');
  }

  /**
   * Counts an attempt before anything is checked, so that of many at once no more get through than one after the other. To be
   * called before the password is hashed. Errors: 429 `too_many_login_attempts` with `Retry-After`, whatever the password is.
   */
  async begin(ip: string, email: string): Promise<LoginAttempt> {
    const hmac = createHmac('sha256', this.key).update(`${email.toLowerCase()}\0${sourceOf(ip)}`);
    const keyHash = hmac.digest();
    const [counted] = await this.database.raw(COUNT_ATTEMPT_STATEMENT, [keyHash]);
    if (counted !== undefined) return { keyHash };
    const [wait] = await this.database.raw<{ secondsLeft: number }>(WAIT_STATEMENT, [keyHash]);
    // None when somebody has just got in from there.
    throw tooMany(wait?.secondsLeft ?? 1);
  }

  /** The answer of `check`. One that could not be given, because too many passwords are being checked, is no failure. */
  async during<T>({ keyHash }: LoginAttempt, check: () => Promise<T>): Promise<T> {
    try {
      return await check();
    } catch (error) {
      if (error instanceof PasswordsBusyError) {
        await this.database.raw(TAKE_BACK_ATTEMPT_STATEMENT, [keyHash]);
      }
      throw error;
    }
  }

  /** Forgets the failures, in the transaction of what the right password was for. */
  async succeed(tx: Tx, { keyHash }: LoginAttempt): Promise<void> {
    await tx.attemptCounter.deleteMany({ where: { keyHash: new Uint8Array(keyHash) } });
  }
}

function tooMany(seconds: number): Problem {
  const wait = seconds === 1 ? 'a second' : `${seconds} seconds`;
  const detail = `Too many passwords were tried for this e-mail from this address: wait ${wait} before the next.`;
  return new Problem(429, 'too_many_login_attempts', detail, {
    type: ABNORMAL_USAGE,
    violatedPolicies: ['login-attempts'],
    headers: { 'Retry-After': String(seconds) },
  });
}
