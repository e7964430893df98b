import { record } from '../audit/record.js';
import { databaseNow } from '../database/clock.js';
import type { RawStatement, Tx } from '../database/database.service.js';
import type { Prisma } from '../generated/prisma/client.js';
import type { Actor } from './actor.js';

/** A session ends so long after the login, however much it is used. */
export const SESSION_SECONDS = 12 * 3_600;

/** One row of {@link LOGIN_STATEMENT}. */
export interface LoginRow {
  id: string;
  passwordHash: string | null;
}

/** The person who would log in with an e-mail in lower case ($1). */
export const LOGIN_STATEMENT: RawStatement = {
  name: 'login_person',
  text: 'SELECT id, password_hash AS "passwordHash" FROM users WHERE email = $1',
};

/** A person's row, locked until the transaction ends. */
export interface LockedPerson {
  id: string;
  name: string;
  passwordHash: string | null;
  /** Every organization that the person belongs to has disabled them, and there is at least one. */
  lockedOut: boolean;
}

/**
 * Locks a person and reads what a login rests on, in a transaction of `database.system()`. A login
 * and whatever ends sessions wait for each other here, so that no session slips through between.
 */
export async function lockPerson(tx: Tx, id: string): Promise<LockedPerson | undefined> {
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${id} FOR NO KEY UPDATE`;
  const [person] = await tx.$queryRaw<LockedPerson[]>`
    SELECT u.id, u.name, u.password_hash AS "passwordHash",
      NOT u.instance_administrator AND coalesce((
        SELECT bool_and(m.status = 'disabled') FROM memberships m
        JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
        WHERE m.user_id = u.id
      ), false) AS "lockedOut"
    FROM users u WHERE u.id = ${id}`;
  return person;
}

/**
 * Ends a person's sessions that match `which` and have not ended, and records each on the chain
 * `system`. Answers how many.
 */
export async function endSessions(
  tx: Tx,
  actor: Actor,
  person: { id: string; name: string },
  which: Prisma.SessionWhereInput,
): Promise<number> {
  const endedAt = await databaseNow(tx);
  const ended = await tx.session.updateManyAndReturn({
    where: { AND: [which], userId: person.id, endedAt: null },
    data: { endedAt },
    select: { id: true },
  });
  const { credential } = actor;
  for (const { id } of ended) {
    if (credential?.kind === 'session' && credential.sessionId === id) credential.hasEnded = true;
    record(tx, actor, 'session.ended', {
      organizationId: null,
      targets: [{ type: 'session', id, name: person.name }],
    });
  }
  return ended.length;
}
