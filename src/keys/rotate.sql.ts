import type { Tx } from '../database/database.service.js';
import type { KeyRow } from './keys.dto.js';

/** When a key was replaced: when its successor was made. Undefined for a key that has none. */
export async function readReplacedAt(
  tx: Tx,
  organizationId: string,
  { replacedById: id }: KeyRow,
): Promise<Date | undefined> {
  if (id === null) return undefined;
  const where = { organizationId_id: { organizationId, id } };
  const { createdAt } = await tx.key.findUniqueOrThrow({ where, select: { createdAt: true } });
  return createdAt;
}
