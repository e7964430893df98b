import { HOLD_REGISTERED, holdsRegistered, isBuiltInPermission } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';

/**
 * Which of these names the organization has registered as permissions. Until the transaction ends
 * none of them is removed: what lists them meanwhile lists no dead name.
 */
export async function registeredAmong(
  tx: Tx,
  organizationId: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = names.filter((name) => !isBuiltInPermission(name));
  if (asked.length === 0) return new Set();
  const rows = await tx.$queryRaw<{ permission: string }[]>`
    SELECT permission FROM registered_permissions
    WHERE organization_id = ${organizationId} AND permission = ANY(${asked})
    ORDER BY permission FOR KEY SHARE`;
  return new Set(rows.map(({ permission }) => permission));
}

/**
 * What a role that is locked holds besides the catalogue's: for owners and administrators all that
 * is registered, else its own list. A statement of its own: only one that begins after the lock was
 * got sees what its last holder has registered or removed.
 */
export async function withRegistered<
  Role extends { key: string; builtIn: boolean; permissions: readonly string[] },
>(tx: Tx, organizationId: string, role: Role): Promise<Role> {
  if (!holdsRegistered(role)) return role;
  const rows = await tx.$queryRaw<{ permission: string }[]>`
    SELECT permission FROM registered_permissions
    WHERE organization_id = ${organizationId} ORDER BY permission`;
  return { ...role, permissions: rows.map(({ permission }) => permission) };
}

/**
 * To be called first by whatever registers or removes: it changes what owners and administrators may
 * do, so it waits for everybody who grants something on what they may do now (`findRole`), and they
 * for it. Registrations and removals of one organization happen one after the other.
 */
export async function lockRegistered(tx: Tx, organizationId: string): Promise<void> {
  await tx.$queryRaw`
    SELECT key FROM roles WHERE organization_id = ${organizationId} AND key = ANY(${[...HOLD_REGISTERED]})
    ORDER BY key FOR NO KEY UPDATE`;
}
