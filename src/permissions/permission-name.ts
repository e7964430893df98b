import { PERMISSIONS } from '../auth/permissions.js';
import { type FieldCheck, fault } from '../http/validators.js';

/** The longest name of a registered permission. */
export const MAX_PERMISSION_LENGTH = 128;

/**
 * What a registered permission looks like: `namespace:action`, lower-case words with hyphens between them; a namespace may
 * have several parts with dots between them. Only characters that an OAuth scope may have (RFC 6749 section 3.3).
 */
export const PERMISSION_NAME =
  /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*:[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** Where built-in permissions are, and where later ones will be when their namespace is new. */
const RESERVED = new Set([
  'claviger',
  ...Object.keys(PERMISSIONS).map((permission) => permission.split(':')[0] ?? ''),
]);

/** Whether the name stands in a namespace of the built-in permissions, or in a part of one (`users.photos:read`). */
export function isReserved(permission: string): boolean {
  const [first = ''] = permission.split(/[.:]/, 1);
  return RESERVED.has(first);
}

/** Says what is wrong with the name of a permission to be registered: its form, or `reserved_namespace`. */
export const permissionNameFaults: FieldCheck = (value) => {
  if (typeof value !== 'string') return fault('wrong_type', 'Must be a string.');
  if (value.length > MAX_PERMISSION_LENGTH) {
    return fault('too_long', `Must have at most ${MAX_PERMISSION_LENGTH} characters.`);
  }
  if (!PERMISSION_NAME.test(value)) {
    const detail =
      'Must be namespace:action in lower-case letters, digits and hyphens, such as reports:download; the namespace may have dots.';
    return fault('invalid_format', detail);
  }
  if (isReserved(value)) {
    const namespaces = [...RESERVED].sort().join(', ');
    return fault('reserved_namespace', `Must not begin with a namespace of ours: ${namespaces}.`);
  }
  return [];
};
