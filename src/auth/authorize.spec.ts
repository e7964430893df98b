import { describe, expect, it } from '@jest/globals';
import { Problem } from '../http/problem.js';
import { type AccessQuestion, authenticate, authorize } from './authorize.js';
import type { KeyCredential, SessionCredential } from './credentials.js';

const REQUEST = { id: 'req_1', ip: '192.0.2.7', userAgent: null };

const key: KeyCredential = {
  kind: 'key',
  keyId: 'key_1',
  keyName: 'Default',
  obfuscatedToken: 'clv_…abcd',
  accountId: 'sa_1',
  accountName: 'Salesforce Integration',
  organizationId: 'org_a',
  organizationName: 'A',
  role: { key: 'viewer', name: 'Viewer' },
  permissions: new Set(['keys:read']),
  keyPermissions: null,
  scope: null,
  accessToken: null,
  allowedCidrs: [],
  requestsPerMinute: 500,
  createdAt: 0,
  keyExpiresAt: null,
  replacedBy: null,
  expiresAt: null,
  epoch: 0,
};

const membership = {
  organizationId: 'org_a',
  organizationName: 'A',
  organizationStatus: 'active' as const,
  requestsPerMinute: 500,
  role: { key: 'viewer', name: 'Viewer' },
  permissions: new Set(['organization:read', 'keys:read']),
};

const session: SessionCredential = {
  kind: 'session',
  sessionId: 'ses_1',
  userId: 'usr_1',
  email: 'ada@example.com',
  name: 'Ada',
  instanceAdministrator: false,
  expiresAt: Date.parse('2026-11-24T08:25:38.190Z'),
  authenticatedAt: Date.parse('2026-11-23T20:25:38.190Z'),
  proofDue: false,
  memberships: [membership],
};

const ask = (question: Partial<AccessQuestion>): AccessQuestion => ({
  access: 'keys:read',
  organizationId: 'org_a',
  request: REQUEST,
  ...question,
});

function refusal(work: () => unknown): { status: number; code: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return { status: error.status, code: error.code };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('authorize, for a key', () => {
  it('lets in whoever holds the permission', () => {
    expect(authorize(key, ask({}))).toMatchObject({ type: 'serviceAccount', id: 'sa_1' });
  });

  it('hides other organizations before anything else is looked at', () => {
    const elsewhere = { ...key, allowedCidrs: ['10.0.0.0/8'] };
    const question = ask({ organizationId: 'org_b', access: 'keys:manage' });
    expect(refusal(() => authorize(elsewhere, question))).toEqual({
      status: 404,
      code: 'not_found',
    });
  });

  it('refuses the address before the permission', () => {
    const bound = { ...key, allowedCidrs: ['10.0.0.0/8'] };
    expect(refusal(() => authorize(bound, ask({ access: 'keys:manage' })))).toEqual({
      status: 403,
      code: 'ip_not_allowed',
    });
  });

  it('refuses a missing permission', () => {
    expect(refusal(() => authorize(key, ask({ access: 'keys:manage' }))).code).toBe(
      'insufficient_scope',
    );
  });

  it.each(['user', 'instanceAdministrator'] as const)('never passes for %s', (access) => {
    const question = ask({ access, organizationId: undefined });
    expect(refusal(() => authorize(key, question)).status).toBe(403);
  });
});

describe('authorize, for a session', () => {
  it('gives the permissions of the organization that the path names, and no other', () => {
    const two = {
      ...session,
      memberships: [
        membership,
        { ...membership, organizationId: 'org_b', permissions: new Set(['keys:manage']) },
      ],
    };
    expect(authorize(two, ask({ access: 'any' })).permissions).toEqual(membership.permissions);
    expect(refusal(() => authorize(two, ask({ access: 'keys:manage' }))).status).toBe(403);
  });

  it('hides organizations that the person is no active member of, from administrators too', () => {
    const administrator = { ...session, instanceAdministrator: true };
    expect(refusal(() => authorize(administrator, ask({ organizationId: 'org_b' }))).status).toBe(
      404,
    );
  });

  it('lets an instance administrator do what only they may, in any organization', () => {
    const administrator = { ...session, instanceAdministrator: true };
    const question = ask({ access: 'instanceAdministrator', organizationId: 'org_b' });
    expect(authorize(administrator, question).instanceAdministrator).toBe(true);
  });

  it('leaves members of a suspended organization only its own page', () => {
    const suspended = {
      ...session,
      memberships: [{ ...membership, organizationStatus: 'suspended' as const }],
    };
    expect(refusal(() => authorize(suspended, ask({}))).code).toBe('organization_suspended');
    expect(authorize(suspended, ask({ access: 'organization:read' })).type).toBe('user');
  });
});

describe('authenticate', () => {
  it.each([
    ['missing', 401, 'unauthorized'],
    ['unsupported_scheme', 401, 'unauthorized'],
    ['malformed', 401, 'invalid_token'],
    ['revoked', 401, 'invalid_token'],
    ['several_credentials', 400, 'invalid_request'],
    ['cross_site', 403, 'cross_site_request'],
  ] as const)('answers %s with %i %s', (reason, status, code) => {
    expect(refusal(() => authenticate({ ok: false, reason }))).toEqual({ status, code });
  });
});
