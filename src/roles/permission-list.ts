import { ALL_PERMISSIONS, isBuiltInPermission, type Permission } from '../auth/permissions.js';
import type { Tx } from '../database/database.service.js';
import { type FieldError, invalid } from '../http/problem.js';
import { registeredAmong } from '../permissions/registered.js';

/** The fault of a list that names, at `pointer`, a permission that does not exist. */
export function unknownPermission(pointer: string): FieldError {
  return {
    pointer,
    code: 'unknown_permission',
    detail:
      'Must be one of the permissions that GET /v1/organizations/{organizationId}/permissions lists.',
  };
}

/** The permissions in the catalogue's order, registered ones after them by name, so that two lists of the same ones are equal. */
export function inOrder(permissions: readonly string[]): string[] {
  const place = (permission: string): number => {
    const index = ALL_PERMISSIONS.indexOf(permission as Permission);
    return index === -1 ? ALL_PERMISSIONS.length : index;
  };
  return [...permissions].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/**
 * A role's list, put in order: built-in permissions and those that the organization has registered,
 * none of which is removed before the transaction ends. Errors: 400 `unknown_permission`, naming each
 * that does not exist.
 */
export async function knownPermissions(
  tx: Tx,
  organizationId: string,
  permissions: readonly string[],
): Promise<string[]> {
  const registered = await registeredAmong(tx, organizationId, permissions);
  const errors = permissions.flatMap((permission, index) =>
    isBuiltInPermission(permission) || registered.has(permission)
      ? []
      : unknownPermission(`/permissions/${index}`),
  );
  if (errors.length > 0) throw invalid(...errors);
  return inOrder(permissions);
}
