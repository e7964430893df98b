import { rolePermissions } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import { invalid, type Problem } from '../http/problem.js';
import { withRegistered } from '../permissions/registered.js';

/** A role of an organization, with what it permits. */
export interface FoundRole {
  key: string;
  name: string;
  builtIn: boolean;
  /** The catalogue's for a built-in role (owner and admin: registered ones too), the stored ones for a custom one. */
  permissions: readonly string[];
}

/**
 * The role with this key in an organization, or undefined. Until the transaction ends nobody can
 * change or delete it, or register or remove a permission that it holds as owner or admin: what is
 * granted on what it permits now stays within that.
 */
export async function findRole(
  tx: Tx,
  organizationId: string,
  key: string,
): Promise<FoundRole | undefined> {
  const [row] = await tx.$queryRaw<FoundRole[]>`
    SELECT key, name, built_in AS "builtIn", permissions FROM roles
    WHERE organization_id = ${organizationId} AND key = ${key} FOR SHARE`;
  if (row === undefined) return undefined;
  return {
    ...row,
    permissions: rolePermissions(await withRegistered(tx, organizationId, row)),
  };
}

/**
 * The roles with these keys, as far as there are, each as {@link findRole} finds it. Locked in one order, so that nobody
 * waits for another one for ever.
 */
export async function findRoles(
  tx: Tx,
  organizationId: string,
  keys: readonly string[],
): Promise<Map<string, FoundRole>> {
  const roles = new Map<string, FoundRole>();
  for (const key of [...new Set(keys)].sort()) {
    const role = await findRole(tx, organizationId, key);
    if (role !== undefined) roles.set(key, role);
  }
  return roles;
}

/** The role that a body names. Errors: 400 `unknown_role` on `pointer`. */
export async function roleNamed(
  tx: Tx,
  organizationId: string,
  key: string,
  pointer = '/role',
): Promise<FoundRole> {
  const role = await findRole(tx, organizationId, key);
  if (role === undefined) throw unknownRole(pointer);
  return role;
}

/** 400 `unknown_role`. */
export function unknownRole(pointer: string): Problem {
  const detail = 'Must be the key of a role of this organization.';
  return invalid({ pointer, code: 'unknown_role', detail });
}
