import { record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { newId } from '../crypto/id.js';
import { databaseNow } from '../database/clock.js';
import type { Tx } from '../database/database.service.js';
import { createOrganization } from '../organizations/create-organization.js';

/** Whom and what the first start makes. */
export interface FirstAdministrator {
  /** `usr_…` */
  id: string;
  /** In lower case. */
  email: string;
  name: string;
  passwordHash: string;
  organizationName: string;
}

/**
 * Lets set-ups come one at a time, on all instances of this server, until the transaction ends, and
 * says whether one may still happen.
 */
export async function lockSetup(tx: Tx): Promise<boolean> {
  await tx.$queryRaw`SELECT id FROM instance WHERE id = 1 FOR UPDATE`;
  return isSetupOpen(tx);
}

/** Whether nobody has set this server up yet. */
export async function isSetupOpen(tx: Tx): Promise<boolean> {
  return (await tx.user.findFirst({ select: { id: true } })) === null;
}

/** Makes the first administrator with an organization, and ends all set-up tokens. */
export async function createFirstAdministrator(
  tx: Tx,
  actor: Actor,
  { organizationName, ...person }: FirstAdministrator,
): Promise<void> {
  const { id, name } = person;
  // Whoever runs the server vouches for the e-mail.
  const emailVerifiedAt = await databaseNow(tx);
  await tx.user.create({ data: { ...person, emailVerifiedAt, instanceAdministrator: true } });
  const organizationId = newId('org');
  await createOrganization(tx, actor, { id: organizationId, name: organizationName }, id);
  record(tx, actor, 'user.created', { organizationId, targets: [{ type: 'user', id, name }] });
  await tx.setupToken.deleteMany();
}
