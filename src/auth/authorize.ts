import { addressAllowed } from '../http/address.js';
import {
  badRequest,
  forbidden,
  notFound,
  type Problem,
  refused,
  unauthorized,
} from '../http/problem.js';
import type { Actor, ActorRequest } from './actor.js';
import type { Access } from './allow.decorator.js';
import type { Check, Credential, KeyCredential, SessionCredential } from './credentials.js';
import { crossSite } from './same-origin.js';

/** What a decision needs to know of the request. */
export interface AccessQuestion {
  access: Access;
  /** The organization that the path names, if it names one. */
  organizationId: string | undefined;
  request: ActorRequest;
}

/** 401, 400 or (a cookie from elsewhere) 403 for a refused check; the credential for a good one. Errors: {@link Problem}. */
export function authenticate(check: Check): Credential {
  if (check.ok) return check.credential;
  throw authenticationProblem(check.reason);
}

function authenticationProblem(reason: string): Problem {
  if (reason === 'several_credentials') {
    return badRequest('invalid_request', 'Authenticate in exactly one way, once.');
  }
  if (reason === 'cross_site') return crossSite();
  return unauthorized(
    reason === 'missing' || reason === 'unsupported_scheme' ? 'missing' : 'invalid',
  );
}

/**
 * Decides, in the contract's order, whether a caller may do what a route does: is the path's
 * organization theirs (404), do they call from an allowed address (403), do they hold the
 * permission (403). The guards call it, and the audit gate calls it again when the first decision
 * rested on a stale cache entry. Errors: {@link Problem}.
 */
export function authorize(credential: Credential, question: AccessQuestion): Actor {
  return credential.kind === 'key'
    ? authorizeKey(credential, question)
    : authorizeSession(credential, question);
}

function authorizeKey(credential: KeyCredential, question: AccessQuestion): Actor {
  const { access, organizationId, request } = question;
  if (organizationId !== undefined && organizationId !== credential.organizationId) {
    throw notFound('organization');
  }
  const { allowedCidrs } = credential;
  if (allowedCidrs.length > 0 && !addressAllowed(request.ip, allowedCidrs)) {
    throw refused('ip_not_allowed', 'This key may not be used from this address.');
  }
  if (access === 'user' || access === 'instanceAdministrator') throw peopleOnly(access);
  requirePermission(access, credential.permissions);
  return {
    type: 'serviceAccount',
    id: credential.accountId,
    name: credential.accountName,
    key: { id: credential.keyId, name: credential.keyName },
    permissions: credential.permissions,
    instanceAdministrator: false,
    credential,
    request,
  };
}

function authorizeSession(credential: SessionCredential, question: AccessQuestion): Actor {
  const { access, organizationId, request } = question;
  const membership = credential.memberships.find((one) => one.organizationId === organizationId);
  const administers = access === 'instanceAdministrator' && credential.instanceAdministrator;
  if (organizationId !== undefined && membership === undefined && !administers) {
    throw notFound('organization');
  }
  if (access === 'instanceAdministrator' && !administers) throw peopleOnly(access);
  if (access === 'serviceAccount' || access === 'keys:rotate-own') {
    throw refused('service_accounts_only', 'This operation is for service accounts.');
  }
  const permissions = membership?.permissions ?? new Set<string>();
  if (access !== 'instanceAdministrator' && access !== 'user') {
    requirePermission(access, permissions);
    if (membership?.organizationStatus === 'suspended' && access !== 'organization:read') {
      throw refused('organization_suspended', 'The organization is suspended.');
    }
  }
  return {
    type: 'user',
    id: credential.userId,
    name: credential.name,
    key: null,
    permissions,
    instanceAdministrator: credential.instanceAdministrator,
    credential,
    request,
  };
}

function requirePermission(access: Access, held: ReadonlySet<string>): void {
  if (access === 'any' || access === 'serviceAccount' || held.has(access)) return;
  throw forbidden(access);
}

function peopleOnly(access: 'user' | 'instanceAdministrator'): Problem {
  return access === 'user'
    ? refused('people_only', 'This operation is for people; service accounts have no sessions.')
    : forbidden('instanceAdministrator', 'This operation is for instance administrators.');
}
