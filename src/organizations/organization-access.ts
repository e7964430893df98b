import type { Actor } from '../auth/actor.js';
import type { OrganizationPage } from './organizations.dto.js';

const PERMISSION = 'organization:read';

/**
 * The organizations that a list may show the caller. A key's own is among them whatever the key
 * permits: its credential may come from the cache, so {@link readablePage} decides about it, and
 * decides again when the audit gate finds the cache stale.
 */
export function listedOrganizationIds({ credential }: Actor): string[] {
  if (credential === null) return [];
  if (credential.kind === 'key') return [credential.organizationId];
  return credential.memberships
    .filter(({ permissions }) => permissions.has(PERMISSION))
    .map(({ organizationId }) => organizationId);
}

/** The page without what the caller may not read. Pure: the audit gate may compute it again. */
export function readablePage(actor: Actor, page: OrganizationPage): OrganizationPage {
  const isReadable =
    actor.credential?.kind !== 'key' || actor.credential.permissions.has(PERMISSION);
  return isReadable ? page : { data: [], paging: {} };
}
