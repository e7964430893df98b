import { Injectable } from '@nestjs/common';
import { changesBetween, record } from '../audit/record.js';
import { PasswordHasher } from '../crypto/password.js';
import { databaseNow } from '../database/clock.js';
import { DatabaseService } from '../database/database.service.js';
import { invalid, type Problem } from '../http/problem.js';
import type { Actor } from './actor.js';
import { LoginAttempts } from './login-attempts.js';
import { type Me, type MeUpdateInput, type PasswordChangeInput, toMe } from './me.dto.js';
import { requireImpersonal } from './new-password.js';
import { Reauthentication } from './reauthentication.js';
import { endResets } from './sessions.reset-password.js';
import { sessionOf } from './sessions.service.js';
import { endSessions, lockPerson } from './sessions.sql.js';

/** What people do about themselves, whatever their organizations let them do. */
@Injectable()
export class MeService {
  constructor(
    private readonly database: DatabaseService,
    private readonly passwords: PasswordHasher,
    private readonly attempts: LoginAttempts,
    private readonly reauthentication: Reauthentication,
  ) {}

  /** Changes the caller's own name, in every organization. */
  async update(actor: Actor, input: MeUpdateInput): Promise<Me> {
    const { userId: id } = sessionOf(actor);
    const name = await this.database.system(async (tx) => {
      const before = await lockPerson(tx, id);
      if (before === undefined) throw new Error('a session without a person');
      const after = { ...before, name: input.name ?? before.name };
      const changes = changesBetween(before, after, ['name']);
      if (changes === undefined) return before.name;
      const updatedAt = await databaseNow(tx);
      const data = { name: after.name, updatedAt, version: { increment: 1 } };
      await tx.user.update({ where: { id }, data });
      const targets = [{ type: 'user' as const, id, name: after.name }];
      record(tx, actor, 'user.updated', { organizationId: null, targets, changes });
      return after.name;
    });
    return { ...toMe(actor), name };
  }

  /**
   * Changes the caller's own password and ends all their sessions, this one too. Errors: 400 on
   * `/currentPassword` when it is wrong, on `/newPassword` when it is weak; 429 `too_many_login_attempts`; `PasswordsBusyError`.
   */
  async changePassword(actor: Actor, input: PasswordChangeInput): Promise<void> {
    const { userId: id, email, name } = sessionOf(actor);
    requireImpersonal('/newPassword', input.newPassword, [email, name]);
    const proof = await this.reauthentication.prove(actor, input.currentPassword, wrongPassword);
    const passwordHash = await this.attempts.during(proof.attempt, () =>
      this.passwords.hash(input.newPassword),
    );
    await this.database.system(async (tx) => {
      const person = await this.reauthentication.settle(tx, actor, proof);
      const updatedAt = await databaseNow(tx);
      const data = { passwordHash, updatedAt, version: { increment: 1 } };
      await tx.user.update({ where: { id }, data });
      const targets = [{ type: 'user' as const, id, name: person.name }];
      record(tx, actor, 'password.changed', { organizationId: null, targets });
      await endResets(tx, id);
      await endSessions(tx, actor, person, {});
    });
  }
}

function wrongPassword(): Problem {
  return invalid({
    pointer: '/currentPassword',
    code: 'wrong_password',
    detail: 'This is not your password.',
  });
}
