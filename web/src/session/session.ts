import type { UserMe } from '@claviger/sdk';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { api, isLoggedOut } from '../api/client';
import { ME, queryClient } from '../api/query-client';

/** An organization that the person works in, with what they may do there. */
export type Membership = UserMe['organizations'][number];

async function readMe(): Promise<UserMe | null> {
  try {
    const me = await api.me.get();
    return me.kind === 'user' ? me : null;
  } catch (error) {
    if (isLoggedOut(error)) return null;
    throw error;
  }
}

/** The query of who is logged in: `data` is null for nobody, undefined until it is known. */
export function useMeQuery(): UseQueryResult<UserMe | null> {
  return useQuery({ queryKey: ME, queryFn: readMe, staleTime: 60_000 });
}

/** Who is logged in. Only for pages inside the shell, which waits for it. */
export function useMe(): UserMe {
  const { data } = useMeQuery();
  if (!data) throw new Error('nobody is logged in');
  return data;
}

/** The organization of this page's address; undefined when the person is none of its users. */
export function useMembership(): Membership | undefined {
  const { organizationId } = useParams();
  return useMe().organizations.find(({ id }) => id === organizationId);
}

/** The organization of this page. Only for pages inside the organization's frame, which checks it. */
export function useOrganization(): Membership {
  const membership = useMembership();
  if (!membership) throw new Error('this page belongs to no organization');
  return membership;
}

/** Whether the person holds a permission in the organization of this page: buttons follow it, the server decides. */
export function useCan(): (permission: string) => boolean {
  const { permissions } = useOrganization();
  return (permission) => permissions.includes(permission);
}

/** Forgets everything that was read; `me` says who is there now, undefined: to be asked. */
export function resetSession(me: null | undefined): void {
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME[0] });
  queryClient.getMutationCache().clear();
  // Who is there is not removed but replaced: pages that are open watch it.
  if (me === null) queryClient.setQueryData(ME, null);
  else void queryClient.resetQueries({ queryKey: ME });
}

/** Asks again what the person may do where: they have changed it. Settles when it is known. */
export function refreshMe(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ME });
}

/** Ends the session; one that has ended already is as good as ended. Errors: all others, and then it goes on. */
export async function logOut(): Promise<void> {
  try {
    await api.sessions.endCurrent();
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
  }
  resetSession(null);
}
