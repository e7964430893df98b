/**
 * The catalogue of permissions and built-in roles: plain data from which types, checks, the OpenAPI
 * text and the panel's pickers derive. An organization registers further permissions for its own APIs;
 * those are rows (`src/permissions`), and strings to everything here.
 */

/** Every built-in permission with the sentence that explains it to an administrator. */
export const PERMISSIONS = {
  'organization:read': 'See the organization and its settings.',
  'organization:manage': "Change the organization's name and settings.",
  'organization:delete': 'Delete the organization.',
  'roles:read': 'See roles and what they permit.',
  'roles:manage': 'Create, change and delete custom roles; register permissions of your own APIs.',
  'users:read': 'See the users of the organization.',
  'users:manage': 'Create, change, disable and remove users.',
  'service-accounts:read': 'See service accounts.',
  'service-accounts:manage': 'Create, change, disable and delete service accounts.',
  'keys:read': 'See keys; their tokens are only ever shown obfuscated.',
  'keys:manage': 'Create, change, rotate and revoke keys.',
  'keys:rotate-own': 'Rotate the key that the request is made with.',
  'audit:read': 'Read and verify the audit trail.',
  'data:export': 'Download users, service accounts and keys as files.',
  'tokens:introspect': 'Ask whether a token is good, and for what.',
} as const;

/** A built-in permission. */
export type Permission = keyof typeof PERMISSIONS;

/** All built-in permissions, in the catalogue's order. */
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as Permission[];

/** Whether the catalogue has this permission. */
export function isBuiltInPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}

/** A role that every organization has and nobody can change. */
export interface BuiltInRole {
  name: string;
  description: string;
  permissions: readonly Permission[];
}

const READING: readonly Permission[] = [
  'organization:read',
  'roles:read',
  'users:read',
  'service-accounts:read',
  'keys:read',
];

/** The built-in roles by key. */
export const BUILT_IN_ROLES = {
  owner: {
    name: 'Owner',
    description: 'Everything, deletion of the organization included.',
    permissions: ALL_PERMISSIONS,
  },
  admin: {
    name: 'Administrator',
    description: 'Everything but deleting the organization and making owners.',
    permissions: ALL_PERMISSIONS.filter((permission) => permission !== 'organization:delete'),
  },
  viewer: {
    name: 'Viewer',
    description: 'Sees everything but the audit trail; changes nothing.',
    permissions: READING,
  },
  provisioner: {
    name: 'Provisioner',
    description: 'Creates and maintains user accounts; for integrations with directories.',
    permissions: [...READING, 'users:manage', 'keys:rotate-own'],
  },
  auditor: {
    name: 'Auditor',
    description: 'Reads the audit trail and downloads data.',
    permissions: [...READING, 'audit:read', 'data:export', 'keys:rotate-own'],
  },
  verifier: {
    name: 'Verifier',
    description: 'Asks whether tokens are good; nothing else.',
    permissions: ['tokens:introspect'],
  },
} as const satisfies Record<string, BuiltInRole>;

/** The key of a built-in role. */
export type BuiltInRoleKey = keyof typeof BUILT_IN_ROLES;

/** True for the key of a built-in role. */
export function isBuiltInRole(key: string): key is BuiltInRoleKey {
  return Object.hasOwn(BUILT_IN_ROLES, key);
}

/** The built-in roles that hold every permission that their organization has registered. */
export const HOLD_REGISTERED: readonly BuiltInRoleKey[] = ['owner', 'admin'];

/** A role as it is read: with what the catalogue does not say. */
export interface RoleGrants {
  key: string;
  builtIn: boolean;
  /** A custom role's own list; for {@link HOLD_REGISTERED} all that the organization has registered. */
  permissions: readonly string[];
}

/** Whether a role holds every registered permission of its organization, and not by its own list. */
export function holdsRegistered({ key, builtIn }: Pick<RoleGrants, 'key' | 'builtIn'>): boolean {
  return builtIn && HOLD_REGISTERED.some((one) => one === key);
}

/**
 * What a role permits: the catalogue's answer for a built-in role (so that a new release's
 * catalogue holds at once), and the registered permissions where the role holds those; the stored
 * list for a custom one.
 */
export function rolePermissions(role: RoleGrants): readonly string[] {
  if (!role.builtIn || !isBuiltInRole(role.key)) return role.permissions;
  const { permissions } = BUILT_IN_ROLES[role.key];
  return holdsRegistered(role) ? [...permissions, ...role.permissions] : permissions;
}

/**
 * Effective permissions: those of the role that the key has too. `null` for the key means all of
 * the role's. The one place where this is computed.
 */
export function effectivePermissions(
  role: readonly string[],
  key: readonly string[] | null,
): string[] {
  return key === null ? [...role] : role.filter((permission) => key.includes(permission));
}

/**
 * Grant only what you hold: the permissions among `wanted` that are not held, in order. Empty means
 * that the grant is allowed. Used wherever a role, a key or an account is made or changed.
 */
export function missingPermissions(wanted: readonly string[], held: ReadonlySet<string>): string[] {
  return wanted.filter((permission) => !held.has(permission));
}
