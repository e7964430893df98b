import { ProblemError, type UserMe } from '@claviger/sdk';
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isLoggedOut } from './client';

/** What is known of the caller; null: nobody is logged in. */
export const ME = ['me'] as const;

/** The session that has ended by itself, while its person was at work: an {@link EndedSession}, or null. */
export const ENDED = ['ended'] as const;

/** A session that has ended without its person wanting it: by the clock, or from elsewhere. */
export interface EndedSession {
  who: UserMe;
  /** Another one each time somebody meets the end. */
  noticed: number;
}

/** Keeps whose session it was that has ended, so that their page can go on after another login. */
export function noteEnd(): void {
  const before = queryClient.getQueryData<EndedSession | null>(ENDED);
  const who = queryClient.getQueryData<UserMe | null>(ME) ?? before?.who;
  if (who) queryClient.setQueryData(ENDED, { who, noticed: (before?.noticed ?? 0) + 1 });
}

/** A session that has ended is noticed by whoever asks next. */
function noticeEnd(error: unknown): void {
  if (!isLoggedOut(error) || error.code === 'invalid_login') return;
  noteEnd();
  queryClient.setQueryData(ME, null);
}

/** Refusals that come of a role, or an organization, that has changed since the page asked who is there. */
const CHANGED = new Set([
  'insufficient_scope',
  'grant_exceeds_permissions',
  'organization_suspended',
]);

/** Then it is asked anew, and pages and buttons follow. */
function noticeChange(error: unknown): void {
  if (!(error instanceof ProblemError) || error.status !== 403 || !CHANGED.has(error.code)) return;
  void queryClient.invalidateQueries({ queryKey: ME });
}

function notice(error: unknown): void {
  noticeEnd(error);
  noticeChange(error);
}

/** What has been read of the server. Nothing of it is kept anywhere but in memory. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: notice }),
  mutationCache: new MutationCache({ onError: notice }),
  defaultOptions: {
    queries: {
      // The client has retried what may be retried.
      retry: false,
      staleTime: 5_000,
    },
    // What a change answers may be secret: an invitation's link. It is gone with the form that asked.
    mutations: { retry: false, gcTime: 0 },
  },
});
