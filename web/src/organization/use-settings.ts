import type { Organization } from '@claviger/sdk';
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../api/client';
import { refreshMe, useOrganization } from '../session/session';

/** The organization of this page with its settings. */
export function useSettings({ enabled = true } = {}): UseQueryResult<Organization> {
  const { id } = useOrganization();
  return useQuery({
    queryKey: ['organizations', id, 'settings'],
    queryFn: ({ signal }) => api.organizations.get({ organizationId: id }, { signal }),
    enabled,
    // The form sends the entity tag back, which belongs to the very object that was answered.
    structuralSharing: false,
  });
}

/** Shows a changed organization everywhere: here, and where its name stands. */
export function useShowChanged(): (changed: Organization) => Promise<void> {
  const queries = useQueryClient();
  return (changed) => {
    queries.setQueryData(['organizations', changed.id, 'settings'], changed);
    return refreshMe();
  };
}
