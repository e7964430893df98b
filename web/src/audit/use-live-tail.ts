import type { AuditEvent } from '@claviger/sdk';
import { type QueryKey, useQuery } from '@tanstack/react-query';
import { queryClient } from '../api/query-client';
import type { Paged } from '../api/use-pages';
import { HTTP_REQUEST } from './actions';
import type { Chain } from './chain';
import type { AuditFilters } from './filters';
import { useIdle } from './use-idle';

const POLL_MS = 3_000;
/** The most that the API answers at once. */
const POLL_LIMIT = 200;
/** Every look keeps the session from falling idle: without anybody there, it must not. */
const UNATTENDED_MS = 10 * 60_000;
/** How many events are kept on the page. */
const KEPT = 500;

/** The newest events, and what has come in since the tail was switched on. */
interface Tail {
  events: AuditEvent[];
  /** The newest event that was seen, left out ones included. */
  newest: number;
  /** The newest event when it was switched on; those after it are new. */
  startedAfter: number;
  /** More came in between two looks than one answer holds. */
  hasGap: boolean;
}

/** The newest events of a chain every three seconds, as long as somebody looks at the page. */
export interface LiveTail {
  events: AuditEvent[] | undefined;
  isNew: (event: AuditEvent) => boolean;
  newCount: number;
  hasGap: boolean;
  /** Nobody has touched the page for ten minutes: it does not look any more. */
  isPaused: boolean;
  resume: () => void;
  paged: Paged<never>;
}

/**
 * Watches a chain from `startedAt` on (Unix milliseconds; undefined: not at all). Each look is an event itself: `readerId`'s own
 * requests for the trail are left out. What was seen stays, because the looks would soon push it off the first page.
 */
export function useLiveTail(
  chain: Chain,
  filters: AuditFilters,
  readerId: string,
  startedAt: number | undefined,
): LiveTail {
  const { isIdle, restart } = useIdle(startedAt !== undefined, UNATTENDED_MS);
  const queryKey = [...chain.queryKey, filters, 'live', startedAt ?? null];
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      const { data, paging } = await chain.list({ ...filters, limit: POLL_LIMIT }, signal);
      return merge(tailOf(queryKey), data, paging.next !== undefined, readerId);
    },
    enabled: startedAt !== undefined && !isIdle,
    // After a failed look there is none until somebody asks for it.
    refetchInterval: ({ state }) => state.error === null && POLL_MS,
    gcTime: 0,
  });
  const isNew = (event: AuditEvent) =>
    query.data !== undefined && event.sequence > query.data.startedAfter;
  return {
    events: query.data?.events,
    isNew,
    newCount: query.data?.events.filter(isNew).length ?? 0,
    hasGap: query.data?.hasGap ?? false,
    isPaused: isIdle,
    resume: restart,
    paged: {
      page: undefined,
      error: query.error,
      isPending: query.isPending,
      isStale: false,
      previous: undefined,
      next: undefined,
      refetch: query.refetch,
      isFetching: query.isFetching,
    },
  };
}

function tailOf(queryKey: QueryKey): Tail | undefined {
  return queryClient.getQueryData<Tail>(queryKey);
}

/** What is on the page after another look. */
export function merge(
  before: Tail | undefined,
  seen: readonly AuditEvent[],
  hasMore: boolean,
  readerId: string,
): Tail {
  const interesting = seen.filter((event) => !isOwnReading(event, readerId));
  const newest = seen[0]?.sequence ?? before?.newest ?? 0;
  if (before === undefined) {
    return { events: interesting, newest, startedAfter: newest, hasGap: false };
  }
  const fresh = interesting.filter(({ sequence }) => sequence > before.newest);
  const oldest = seen.at(-1)?.sequence ?? 0;
  return {
    events: [...fresh, ...before.events].slice(0, KEPT),
    newest,
    startedAfter: before.startedAfter,
    hasGap: before.hasGap || (hasMore && oldest > before.newest),
  };
}

function isOwnReading({ action, actor, route }: AuditEvent, readerId: string): boolean {
  return (
    action === HTTP_REQUEST && actor.id === readerId && /\/audit-events(\/|$)/.test(route ?? '')
  );
}
