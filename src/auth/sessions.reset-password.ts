import { record } from '../audit/record.js';
import { databaseNow } from '../database/clock.js';
import type { DatabaseService } from '../database/database.service.js';
import { SYSTEM_ACTOR } from './actor.js';
import { endSessions, lockPerson } from './sessions.sql.js';

/**
 * Recovery at the server: gives the person with this e-mail another password and ends all their
 * sessions. False when there is no such person. It stands on the chain `system` as `password.reset`.
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
    const { id, name } = person;
    const updatedAt = await databaseNow(tx);
    await tx.user.update({
      where: { id },
      data: { passwordHash, updatedAt, version: { increment: 1 } },
    });
    const targets = [{ type: 'user' as const, id, name }];
    record(tx, SYSTEM_ACTOR, 'password.reset', { organizationId: null, targets });
    await endSessions(tx, SYSTEM_ACTOR, person, {});
    return true;
  });
}
