import { Injectable } from '@nestjs/common';
import { record } from '../audit/record.js';
import { PasswordHasher } from '../crypto/password.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService, type Tx } from '../database/database.service.js';
import { Problem, refused, unauthorized } from '../http/problem.js';
import type { Actor } from './actor.js';
import { type LoginAttempt, LoginAttempts } from './login-attempts.js';
import type { ReauthenticationInput } from './sessions.dto.js';
import { sessionOf } from './sessions.service.js';
import { lockPerson, type LockedPerson } from './sessions.sql.js';

/** A password that the person of a session has just proved. */
export interface Proof {
  /** Still counted as a failure, until what the password was for has succeeded. */
  attempt: LoginAttempt;
  passwordHash: string | null;
  /** What a wrong password is answered with. */
  wrong: () => Problem;
}

/** People who are logged in prove again that they know their password. */
@Injectable()
export class Reauthentication {
  constructor(
    private readonly database: DatabaseService,
    private readonly passwords: PasswordHasher,
    private readonly attempts: LoginAttempts,
  ) {}

  /**
   * Makes the caller's session fresh for what is dangerous. Errors: 403 `wrong_password` on `/password`; 401 when the session has ended
   * meanwhile; 429 `too_many_login_attempts`; `PasswordsBusyError`.
   */
  async reauthenticate(actor: Actor, { password }: ReauthenticationInput): Promise<void> {
    const { sessionId: id } = sessionOf(actor);
    const proof = await this.prove(actor, password, wrongPassword);
    await this.database.system(async (tx) => {
      const { name } = await this.settle(tx, actor, proof);
      const data = { authenticatedAt: await databaseNow(tx) };
      const { count } = await tx.session.updateMany({ where: { id, endedAt: null }, data });
      if (count === 0) throw unauthorized('invalid');
      const targets = [{ type: 'session' as const, id, name }];
      record(tx, actor, 'session.reauthenticated', { organizationId: null, targets });
    });
  }

  /**
   * Checks the caller's password: a stolen session must not find it out quicker than a login would. To be called before any
   * transaction, and followed by {@link settle}. Errors: `wrong`; 429 `too_many_login_attempts`; `PasswordsBusyError`.
   */
  async prove(actor: Actor, password: string, wrong: () => Problem): Promise<Proof> {
    const { userId: id, email } = sessionOf(actor);
    const attempt = await this.attempts.begin(addressOf(actor), email);
    const { passwordHash } = await this.database.system((tx) =>
      tx.user.findUniqueOrThrow({ where: { id }, select: { passwordHash: true } }),
    );
    const check = () => this.passwords.verify(passwordHash, password);
    if (!(await this.attempts.during(attempt, check))) throw wrong();
    return { attempt, passwordHash, wrong };
  }

  /**
   * Locks the person of a proof and forgets their failures, in the transaction of what the password was proved for. Errors: the proof's
   * `wrong`, when the password has changed since.
   */
  async settle(tx: Tx, actor: Actor, proof: Proof): Promise<LockedPerson> {
    const person = await lockPerson(tx, sessionOf(actor).userId);
    if (person?.passwordHash !== proof.passwordHash) throw proof.wrong();
    await this.attempts.succeed(tx, proof.attempt);
    return person;
  }
}

/** Where the request of a person comes from. */
function addressOf({ request }: Actor): string {
  if (request === null) throw new TypeError('people come with a request');
  return request.ip;
}

/** As a field at fault, for forms; as a refusal, so that the trail says that and why it was denied. */
function wrongPassword(): Problem {
  const detail = 'This is not your password.';
  const { status, code, extra } = refused('wrong_password', detail);
  const errors = [{ pointer: '/password', code, detail }];
  return new Problem(status, code, detail, { ...extra, errors });
}
