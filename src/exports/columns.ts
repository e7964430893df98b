/** The columns of an export, in their order: name, and path of the cell in an item as the API shows it. */
export type Columns = Readonly<Record<string, string>>;

const CREATED: Columns = {
  createdAt: 'createdAt',
  createdByType: 'createdBy.type',
  createdById: 'createdBy.id',
  createdByName: 'createdBy.name',
};

/** Users as CSV. New columns are added at the end, here and below. */
export const USER_COLUMNS: Columns = {
  id: 'id',
  email: 'email',
  name: 'name',
  role: 'role.key',
  status: 'status',
  attributes: 'attributes',
  lastLoginAt: 'lastLoginAt',
  ...CREATED,
};

/** Service accounts as CSV. */
export const SERVICE_ACCOUNT_COLUMNS: Columns = {
  id: 'id',
  organizationId: 'organizationId',
  name: 'name',
  description: 'description',
  role: 'role.key',
  status: 'status',
  ownerId: 'owner.id',
  ownerName: 'owner.name',
  ownerEmail: 'owner.email',
  backupOwnerId: 'backupOwner.id',
  backupOwnerName: 'backupOwner.name',
  backupOwnerEmail: 'backupOwner.email',
  purpose: 'purpose',
  systems: 'systems',
  documentationUrl: 'documentationUrl',
  labels: 'labels',
  keyCount: 'keyCount',
  lastUsedAt: 'lastUsedAt',
  ...CREATED,
  updatedAt: 'updatedAt',
  requestsPerMinute: 'requestsPerMinute',
};

/** Keys as CSV. */
export const KEY_COLUMNS: Columns = {
  id: 'id',
  serviceAccountId: 'serviceAccountId',
  name: 'name',
  obfuscatedToken: 'obfuscatedToken',
  permissions: 'permissions',
  allowedCidrs: 'allowedCidrs',
  expiresAt: 'expiresAt',
  status: 'status',
  lastUsedAt: 'lastUsedAt',
  lastUsedIp: 'lastUsedIp',
  ...CREATED,
  revokedAt: 'revokedAt',
  rotatedFromId: 'rotatedFromId',
  replacedById: 'replacedById',
  type: 'type',
};

/** Audit events as CSV. */
export const AUDIT_EVENT_COLUMNS: Columns = {
  id: 'id',
  sequence: 'sequence',
  occurredAt: 'occurredAt',
  organizationId: 'organizationId',
  action: 'action',
  outcome: 'outcome',
  actorType: 'actor.type',
  actorId: 'actor.id',
  actorName: 'actor.name',
  keyId: 'key.id',
  keyName: 'key.name',
  targets: 'targets',
  permission: 'permission',
  method: 'method',
  route: 'route',
  path: 'path',
  status: 'status',
  reason: 'reason',
  ip: 'ip',
  userAgent: 'userAgent',
  requestId: 'requestId',
  changes: 'changes',
  details: 'details',
  previousHash: 'previousHash',
  hash: 'hash',
};

/** Gives the cells of items, one for each column. */
export function cellsBy(columns: Columns): (item: object) => unknown[] {
  const paths = Object.values(columns).map((path) => path.split('.'));
  return (item) =>
    paths.map((path) =>
      path.reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], item),
    );
}
