import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

interface AnyPage {
  paging: { next?: { after?: string } };
}

/** One page of a list, and how to get to its neighbours. */
export interface Paged<P> {
  page: P | undefined;
  error: unknown;
  /** True until there is anything to show. */
  isPending: boolean;
  /** True while what is shown is not yet what was asked for. */
  isStale: boolean;
  /** Undefined on the first page. */
  previous: (() => void) | undefined;
  /** Undefined on the last page. */
  next: (() => void) | undefined;
  /** Reads the page anew. */
  refetch: () => unknown;
  isFetching: boolean;
}

/**
 * A list page by page. The API's cursors lead forward only, so the way back is remembered here; another `key` (other
 * filters) begins at the first page again.
 */
export function usePages<P extends AnyPage>(
  key: readonly unknown[],
  fetchPage: (after: string | undefined, signal: AbortSignal) => PromiseLike<P>,
  options: { enabled?: boolean; refetchInterval?: number | false } = {},
): Paged<P> {
  const identity = JSON.stringify(key);
  const [trail, setTrail] = useState<{ of: string; cursors: string[] }>({
    of: identity,
    cursors: [],
  });
  const cursors = trail.of === identity ? trail.cursors : [];
  const after = cursors.at(-1);
  const query = useQuery({
    queryKey: [...key, { after }],
    queryFn: async ({ signal }) => await fetchPage(after, signal),
    placeholderData: keepPreviousData,
    ...options,
  });
  const nextCursor = query.data?.paging.next?.after;
  const go = (to: string[]) => () => setTrail({ of: identity, cursors: to });
  return {
    page: query.data,
    error: query.error,
    isPending: query.isPending,
    isStale: query.isPlaceholderData,
    previous: cursors.length === 0 ? undefined : go(cursors.slice(0, -1)),
    next:
      nextCursor === undefined || query.isPlaceholderData
        ? undefined
        : go([...cursors, nextCursor]),
    refetch: query.refetch,
    isFetching: query.isFetching,
  };
}
