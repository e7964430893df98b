import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isLoggedOut } from './client';

/** What is known of the caller; null: nobody is logged in. */
export const ME = ['me'] as const;

/** A session that has ended is noticed by whoever asks next; the pages then make way for the login. */
function noticeEnd(error: unknown): void {
  if (!isLoggedOut(error) || error.code === 'invalid_login') return;
  queryClient.setQueryData(ME, null);
}

/** What has been read of the server. Nothing of it is kept anywhere but in memory. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
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
