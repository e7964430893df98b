import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client';
import { useOrganization } from '../session/session';

/** One service account of this page's organization. */
export function useServiceAccount(serviceAccountId: string) {
  const { id: organizationId } = useOrganization();
  return useQuery({
    queryKey: ['organizations', organizationId, 'service-accounts', serviceAccountId],
    queryFn: () => api.serviceAccounts.get({ organizationId, serviceAccountId }),
  });
}
