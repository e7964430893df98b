import { record } from '../audit/record.js';
import { databaseNow } from '../database/clock.js';
import type { DatabaseService, Tx } from '../database/database.service.js';
import { type Actor, SYSTEM_ACTOR } from './actor.js';
import { endSessions, lockPerson } from './sessions.sql.js';

/**
 * Recovery at the server: gives the person with this e-mail another password and ends all their
 * sessions. False when there is no such person.
 */
export function resetPassword(
  database: DatabaseService,
  email: string,
  passwordHash: string,
): Promise<boolean> {
  return database.system(async (tx) => {
    const found = await tx.user.findUnique({
      where: { email: email.toLowerCase() },
      select: { id: true },
    });
    const person = found === null ? undefined : await lockPerson(tx, found.id);
    if (person === undefined) return false;
    await setPassword(tx, SYSTEM_ACTOR, person, passwordHash);
    return true;
  });
}

/**
 * Voids what was mailed to a person for setting a new password, unless nobody has shown yet that they read that mail: then
 * the password may be somebody else's, who must not be able to keep the person from taking the account back. The person
 * is locked.
 */
export async function endResets(tx: Tx, userId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE password_resets SET ended_at = clock_timestamp()
    WHERE user_id = ${userId} AND ended_at IS NULL
      AND EXISTS (SELECT FROM users WHERE id = ${userId} AND email_verified_at IS NOT NULL)`;
}

/**
 * Gives a locked person another password without the old one, on the word of their mail or of whoever
 * runs the server: from now on the e-mail counts as theirs. Ends all their sessions and resets. It
 * stands on the chain `system` as `password.reset`.
 */
export async function setPassword(
  tx: Tx,
  actor: Actor,
  { id, name }: { id: string; name: string },
  passwordHash: string,
): Promise<void> {
  const updatedAt = await databaseNow(tx);
  await tx.user.update({
    where: { id },
    data: { passwordHash, emailVerifiedAt: updatedAt, updatedAt, version: { increment: 1 } },
  });
  const targets = [{ type: 'user' as const, id, name }];
  record(tx, actor, 'password.reset', { organizationId: null, targets });
  await endResets(tx, id);
  await endSessions(tx, actor, { id, name }, {});
}
