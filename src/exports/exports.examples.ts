import type { AuditEvent } from '../audit/audit.dto.js';
import type { Key } from '../keys/keys.dto.js';
import type { ServiceAccount } from '../service-accounts/service-accounts.dto.js';
import type { User } from '../users/users.dto.js';
import {
  AUDIT_EVENT_COLUMNS,
  cellsBy,
  type Columns,
  KEY_COLUMNS,
  SERVICE_ACCOUNT_COLUMNS,
  USER_COLUMNS,
} from './columns.js';
import { csvLines } from './csv.js';

const AT = '2026-11-23T20:25:38.190Z';
const createdBy = { type: 'user', id: 'usr_01h455vb4pex5vsknk084sn02q', name: 'Ada Lovelace' };

const USER: User = {
  id: 'usr_01h455vb4pex5vsknk084sn02q',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  role: { key: 'viewer', name: 'Viewer' },
  status: 'active',
  attributes: { department: 'Finance' },
  lastLoginAt: null,
  createdAt: AT,
  createdBy: { ...createdBy, type: 'serviceAccount', id: 'sa_01h455vb4pex5vsknk084sn02q' },
};

const SERVICE_ACCOUNT: ServiceAccount = {
  id: 'sa_01h455vb4pex5vsknk084sn02q',
  organizationId: 'org_01h455vb4pex5vsknk084sn02q',
  name: 'Salesforce Integration',
  description: '',
  role: { key: 'viewer', name: 'Viewer' },
  status: 'active',
  owner: { id: createdBy.id, name: createdBy.name, email: 'ada@example.com' },
  backupOwner: null,
  purpose: 'Nightly synchronization of accounts and contacts',
  systems: ['Salesforce'],
  documentationUrl: null,
  labels: { team: 'sales' },
  requestsPerMinute: null,
  keyCount: 1,
  lastUsedAt: null,
  createdAt: AT,
  createdBy,
  updatedAt: AT,
};

const KEY: Key = {
  id: 'key_01h455vb4pex5vsknk084sn02q',
  serviceAccountId: SERVICE_ACCOUNT.id,
  name: 'Default',
  type: 'token',
  obfuscatedToken: 'clv_…AbCd',
  publicKey: null,
  permissions: null,
  allowedCidrs: ['203.0.113.0/24'],
  expiresAt: '2027-11-23T00:00:00.000Z',
  status: 'active',
  lastUsedAt: null,
  lastUsedIp: null,
  createdAt: AT,
  createdBy,
  revokedAt: null,
  rotatedFromId: null,
  replacedById: null,
};

const AUDIT_EVENT: AuditEvent = {
  id: 'evt_01h455vb4pex5vsknk084sn02q',
  sequence: 42,
  occurredAt: AT,
  organizationId: SERVICE_ACCOUNT.organizationId,
  action: 'http.request',
  outcome: 'success',
  actor: { type: 'serviceAccount', id: SERVICE_ACCOUNT.id, name: SERVICE_ACCOUNT.name },
  key: { id: KEY.id, name: KEY.name },
  targets: [],
  permission: 'any',
  method: 'GET',
  route: '/v1/me',
  path: '/v1/me',
  status: 200,
  reason: null,
  ip: '203.0.113.7',
  userAgent: 'curl/8.5.0',
  requestId: 'req_01h455vb4pex5vsknk084sn02q',
  changes: null,
  details: null,
  previousHash: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
  hash: 'fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9',
};

function examples(columns: Columns, item: object): { csv: string; ndjson: string } {
  return {
    csv: csvLines([Object.keys(columns), cellsBy(columns)(item)]),
    ndjson: `${JSON.stringify(item)}
`,
  };
}

/** One row of each export, for the documentation; written as exports are, so that it cannot be wrong. */
export const EXPORT_EXAMPLES = {
  users: examples(USER_COLUMNS, USER),
  serviceAccounts: examples(SERVICE_ACCOUNT_COLUMNS, SERVICE_ACCOUNT),
  keys: examples(KEY_COLUMNS, KEY),
  auditEvents: examples(AUDIT_EVENT_COLUMNS, AUDIT_EVENT),
};
