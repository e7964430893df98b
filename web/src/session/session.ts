import type { UserMe } from '@claviger/sdk';
import { skipToken, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { createContext, use } from 'react';
import { useParams } from 'react-router';
import { api, isLoggedOut } from '../api/client';
import { ENDED, type EndedSession, ME, noteEnd, queryClient } from '../api/query-client';

/** An organization that the person works in, with what they may do there. */
export type Membership = UserMe['organizations'][number];

/** Whether the organization's people can only look at its own page, until it is resumed. */
export function isSuspended({ status }: Membership): boolean {
  return status === 'suspended';
}

/** Whether somebody may do something in an organization now. */
export function permits(membership: Membership, permission: string): boolean {
  if (isSuspended(membership) && permission !== 'organization:read') return false;
  return membership.permissions.includes(permission);
}

async function readMe(): Promise<UserMe | null> {
  try {
    const me = await api.me.get();
    return me.kind === 'user' ? me : null;
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
    noteEnd();
    return null;
  }
}

/** The query of who is logged in: `data` is null for nobody, undefined until it is known. */
export function useMeQuery(): UseQueryResult<UserMe | null> {
  return useQuery({ queryKey: ME, queryFn: readMe, staleTime: 60_000 });
}

/** The session that ended while its person was at work; null after another login, or when they ended it themselves. */
export function useEndedSession(): EndedSession | null {
  const { data } = useQuery<EndedSession | null>({
    queryKey: ENDED,
    queryFn: skipToken,
    staleTime: Infinity,
  });
  return data ?? null;
}

/** Whose pages these are. */
export const MeContext = createContext<UserMe | null>(null);

/** Whose page this is: who is logged in, or was until the session ended. Only for pages behind `RequireSession`. */
export function useMe(): UserMe {
  const me = use(MeContext);
  if (!me) throw new Error('nobody is logged in');
  return me;
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
  const organization = useOrganization();
  return (permission) => permits(organization, permission);
}

/** Forgets everything that was read; `me` says who is there now, undefined: to be asked. */
export function resetSession(me: null | undefined): void {
  const watched: readonly unknown[] = [ME[0], ENDED[0]];
  queryClient.removeQueries({ predicate: ({ queryKey }) => !watched.includes(queryKey[0]) });
  queryClient.getMutationCache().clear();
  // Who is there is not removed but replaced: pages that are open watch it.
  queryClient.setQueryData(ENDED, null);
  if (me === null) queryClient.setQueryData(ME, null);
  else void queryClient.resetQueries({ queryKey: ME });
}

/** Goes on after a login on top of a page: where it was for the same person, from the start for somebody else. */
export async function resumeSession(): Promise<void> {
  const ended = queryClient.getQueryData<EndedSession | null>(ENDED);
  const me = await readMe();
  if (me === null || me.id !== ended?.who.id) return resetSession(undefined);
  queryClient.setQueryData(ME, me);
  queryClient.setQueryData(ENDED, null);
  await queryClient.invalidateQueries();
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
