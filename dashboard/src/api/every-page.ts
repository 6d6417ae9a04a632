/** Lists that are small enough to have whole: every page is fetched, one after another, and shown as it comes. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { key } from './keys';

/** The most that a page may hold. */
export const PAGE_LIMIT = 200;

/** Lists of more pages are not read anew by the clock. */
const POLLED_PAGES = 5;

export interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}

export function useEveryPage<T>(
  name: string,
  fetchPage: (cursor: string | undefined) => Promise<Page<T>>,
  options: { isEnabled?: boolean; refetchInterval?: number } = {},
) {
  const query = useInfiniteQuery({
    queryKey: key(name, 'all'),
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page<T>) => page.next_cursor ?? undefined,
    enabled: options.isEnabled ?? true,
    // All pages are read again each time: a long list waits for the stream to say that it changed.
    refetchInterval: ({ state }) =>
      state.data && state.data.pages.length > POLLED_PAGES
        ? false
        : (options.refetchInterval ?? false),
  });
  const { hasNextPage, isFetching, fetchNextPage, isError } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, isError]);
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.data) ?? [], [query.data]);
  return {
    items,
    isPending: query.isPending,
    isComplete: query.isSuccess && !hasNextPage,
    error: query.error,
    refetch: query.refetch,
  };
}
