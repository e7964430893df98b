import { ALL_PERMISSIONS, type Permission } from '../auth/permissions.js';
import { type FieldError, invalid } from '../http/problem.js';

/** Whether the catalogue has this permission. */
export function isPermission(text: string): text is Permission {
  return ALL_PERMISSIONS.includes(text as Permission);
}

/** The fault of a list that names, at `pointer`, a permission that does not exist. */
export function unknownPermission(pointer: string): FieldError {
  return {
    pointer,
    code: 'unknown_permission',
    detail: 'Must be one of the permissions that GET /v1/permissions lists.',
  };
}

/** The permissions in the catalogue's order, so that two lists of the same ones are equal. */
export function inOrder(permissions: readonly string[]): string[] {
  const place = (permission: string): number => {
    const index = ALL_PERMISSIONS.indexOf(permission as Permission);
    return index === -1 ? ALL_PERMISSIONS.length : index;
  };
  return [...permissions].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** A role's list, put in order. Errors: 400 `unknown_permission`, naming each that does not exist. */
export function knownPermissions(permissions: readonly string[]): string[] {
  const errors = permissions.flatMap((permission, index) =>
    isPermission(permission) ? [] : unknownPermission(`/permissions/${index}`),
  );
  if (errors.length > 0) throw invalid(...errors);
  return inOrder(permissions);
}
