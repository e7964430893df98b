import type { TestServer } from './harness.js';

/** What the API refuses to make: a key of another age. */
export async function setKey(
  { database }: TestServer,
  id: string,
  data: { createdAt?: Date; expiresAt?: Date | null },
): Promise<void> {
  await database.system((tx) => tx.key.update({ where: { id }, data }));
}

/** Limits of an organization, without asking anybody who may change them. */
export async function setLimits(
  { database }: TestServer,
  id: string,
  data: { maxKeysPerServiceAccount?: number; maxKeyLifetimeSeconds?: number | null },
): Promise<void> {
  await database.system((tx) => tx.organization.update({ where: { id }, data }));
}
