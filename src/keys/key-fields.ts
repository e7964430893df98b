import { type FieldError, invalid } from '../http/problem.js';
import { toDate } from '../http/timestamp.js';
import { isBuiltInPermission } from '../auth/permissions.js';
import { inOrder, unknownPermission } from '../roles/permission-list.js';
import { normalizeCidrs, widensNetworks } from './cidrs.js';
import type { KeyLimits, KeyRow } from './keys.dto.js';
import type { KeyBounds } from './keys.sql.js';

/** What can be said about a key by whoever makes or changes it. */
export interface KeyFields {
  name: string;
  expiresAt: Date | null;
  /** Null: all of the role's. */
  permissions: string[] | null;
  allowedCidrs: string[];
}

/** Fields given for a key, with everything that they are judged by. */
export interface KeyInput {
  given: KeyLimits & { name?: string };
  /** What the account's role permits. */
  rolePermissions: readonly string[];
  /** Those of the permissions given, and of a key's permissions before, that the organization has registered. */
  registered: ReadonlySet<string>;
  bounds: Pick<KeyBounds, 'now' | 'maxLifetimeSeconds'>;
  /** When a key that has a successor was replaced. */
  replacedAt?: Date | undefined;
  /** Where in the body `given` stands: `''` or `/key`. */
  pointer: string;
}

/** The name of a key that was given none. */
export const DEFAULT_KEY_NAME = 'Default';

/**
 * The fields of a new key. Without `expiresAt` it lives as long as the organization allows.
 * Errors: 400 on `/expiresAt` (`in_the_past`, `too_far`) and `/permissions/0` (`not_in_role`,
 * `unknown_permission`).
 */
export function newKeyFields(input: KeyInput): KeyFields {
  const { given, bounds } = input;
  const { name = DEFAULT_KEY_NAME, permissions = null, allowedCidrs = [] } = given;
  const latest = latestExpiry(bounds.now, bounds.maxLifetimeSeconds);
  const expiresAt = given.expiresAt === undefined ? latest : toDate(given.expiresAt);
  refuse([...expiryFaults(expiresAt, latest, input), ...permissionFaults(permissions, input)]);
  return {
    name,
    expiresAt,
    permissions: permissions === null ? null : inOrder(permissions),
    allowedCidrs: normalizeCidrs(allowedCidrs),
  };
}

/** The last time that RFC 3339 can write. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** How long a key may work on beside its successor. */
export const MAX_OVERLAP_SECONDS = 7 * 24 * 3_600;

/**
 * The fields of the key that takes over from another: all of its own, and its whole lifetime again, as long as the
 * organization allows. `expiresAt` can be given. Errors: as {@link newKeyFields}.
 */
export function successorFields(
  before: KeyRow,
  { given, registered, bounds }: Pick<KeyInput, 'given' | 'registered' | 'bounds'>,
): KeyFields {
  const latest = latestExpiry(bounds.now, bounds.maxLifetimeSeconds);
  const lifetime = endOf(before.expiresAt) - before.createdAt.getTime();
  const end = Math.min(bounds.now.getTime() + lifetime, endOf(latest));
  const again = end === Infinity ? null : new Date(Math.min(end, LAST_TIME));
  const expiresAt = given.expiresAt === undefined ? again : toDate(given.expiresAt);
  refuse(expiryFaults(expiresAt, latest, { bounds, pointer: '' }));
  const old = withoutRemoved(fieldsOf(before), registered);
  return { ...old, name: given.name ?? old.name, expiresAt };
}

/**
 * The fields of a key after a change; what is not given, or given as it is, stays without being
 * judged again. A key's life is counted from when it was made; once replaced it may last 7 days from
 * then. Errors: as {@link newKeyFields}.
 */
export function changedKeyFields(before: KeyRow, input: KeyInput): KeyFields {
  const { given, bounds } = input;
  const old = withoutRemoved(fieldsOf(before), input.registered);
  const expiresAt = given.expiresAt === undefined ? old.expiresAt : toDate(given.expiresAt);
  const latest = latestExpiry(before.createdAt, bounds.maxLifetimeSeconds);
  const permissions = given.permissions == null ? given.permissions : inOrder(given.permissions);
  refuse([
    ...(sameTime(old.expiresAt, expiresAt) ? [] : changedExpiryFaults(expiresAt, latest, input)),
    ...(sameList(old.permissions, permissions) ? [] : permissionFaults(given.permissions, input)),
  ]);
  return {
    name: given.name ?? old.name,
    expiresAt,
    permissions: permissions === undefined ? old.permissions : permissions,
    allowedCidrs:
      given.allowedCidrs === undefined ? old.allowedCidrs : normalizeCidrs(given.allowedCidrs),
  };
}

/** A permission may have been removed since the key was read: writing it back would revive it one day. */
function withoutRemoved(fields: KeyFields, registered: ReadonlySet<string>): KeyFields {
  const exists = (one: string) => isBuiltInPermission(one) || registered.has(one);
  return { ...fields, permissions: fields.permissions?.filter(exists) ?? null };
}

/** The fields that a key has. */
export function fieldsOf(row: KeyRow): KeyFields {
  const { name, expiresAt, allPermissions, permissions, allowedCidrs } = row;
  return {
    name,
    expiresAt,
    permissions: allPermissions ? null : inOrder(permissions),
    allowedCidrs,
  };
}

/** Whether the key can do anything after that it could not do before: more, from elsewhere, or longer. */
export function widens(before: KeyFields, after: KeyFields): boolean {
  return (
    widensPermissions(before.permissions, after.permissions) ||
    widensNetworks(before.allowedCidrs, after.allowedCidrs) ||
    endOf(after.expiresAt) > endOf(before.expiresAt)
  );
}

/** The fields as the audit trail shows them. */
export function toKeySnapshot(fields: KeyFields): KeySnapshot {
  return { ...fields, expiresAt: fields.expiresAt?.toISOString() ?? null };
}

/** What the trail tells of a key: nothing secret. */
export interface KeySnapshot {
  name: string | null;
  expiresAt: string | null;
  permissions: string[] | null;
  allowedCidrs: string[];
}

/** The fields of a snapshot, in the order of the trail. */
export const KEY_SNAPSHOT_FIELDS = ['name', 'expiresAt', 'permissions', 'allowedCidrs'] as const;

/** What a key is before it is made. */
export const NO_KEY: KeySnapshot = {
  name: null,
  expiresAt: null,
  permissions: null,
  allowedCidrs: [],
};

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw invalid(...errors);
}

function latestExpiry(bornAt: Date, maxLifetimeSeconds: number | null): Date | null {
  return maxLifetimeSeconds === null
    ? null
    : new Date(bornAt.getTime() + maxLifetimeSeconds * 1000);
}

function expiryFaults(
  expiresAt: Date | null,
  latest: Date | null,
  input: Pick<KeyInput, 'bounds' | 'pointer'>,
): FieldError[] {
  const pointer = `${input.pointer}/expiresAt`;
  if (expiresAt !== null && expiresAt <= input.bounds.now) {
    return [{ pointer, code: 'in_the_past', detail: 'Must be in the future.' }];
  }
  if (latest !== null && endOf(expiresAt) > latest.getTime()) {
    const detail = `Keys of this organization may live ${input.bounds.maxLifetimeSeconds} seconds: at most until ${latest.toISOString()}.`;
    return [{ pointer, code: 'too_far', detail }];
  }
  return [];
}

/** A key that has been replaced can end sooner, and not later than any overlap may. */
function changedExpiryFaults(
  expiresAt: Date | null,
  latest: Date | null,
  input: KeyInput,
): FieldError[] {
  const { replacedAt, pointer } = input;
  const faults = expiryFaults(expiresAt, latest, input);
  if (faults.length > 0 || replacedAt === undefined) return faults;
  const overlapEnd = new Date(replacedAt.getTime() + MAX_OVERLAP_SECONDS * 1000);
  if (endOf(expiresAt) <= overlapEnd.getTime()) return [];
  const detail = `The key has been replaced: it may work at most until ${overlapEnd.toISOString()}.`;
  return [{ pointer: `${pointer}/expiresAt`, code: 'too_far', detail }];
}

function permissionFaults(
  permissions: readonly string[] | null | undefined,
  { rolePermissions, registered, pointer }: KeyInput,
): FieldError[] {
  return (permissions ?? []).flatMap((permission, index) => {
    if (rolePermissions.includes(permission)) return [];
    const at = `${pointer}/permissions/${index}`;
    if (!isBuiltInPermission(permission) && !registered.has(permission)) {
      return unknownPermission(at);
    }
    const detail = "Must be one of the permissions of the service account's role.";
    return { pointer: at, code: 'not_in_role', detail };
  });
}

function widensPermissions(before: readonly string[] | null, after: readonly string[] | null) {
  if (before === null) return false;
  return after === null || after.some((permission) => !before.includes(permission));
}

function endOf(expiresAt: Date | null): number {
  return expiresAt?.getTime() ?? Infinity;
}

function sameTime(a: Date | null, b: Date | null): boolean {
  return endOf(a) === endOf(b);
}

/** Undefined: nothing was given, so nothing differs. */
function sameList(a: string[] | null, b: string[] | null | undefined): boolean {
  return b === undefined || JSON.stringify(a) === JSON.stringify(b);
}
