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

/**
 * Of the pages that are there, how many are shown: all in the end, and until then 1, 2, 4, 8, … Whoever shows a list
 * draws it anew for each of these, so a list of fifty pages is drawn seven times and not fifty.
 */
export function shownPages(there: number, isComplete: boolean): number {
  return isComplete || there === 0 ? there : 2 ** Math.floor(Math.log2(there));
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
  const isComplete = query.isSuccess && !hasNextPage;
  const pages = query.data?.pages;
  const count = shownPages(pages?.length ?? 0, isComplete);
  // While more comes in, the pages before are as they were; what is read anew later is there at once.
  const edition = isComplete ? pages : pages?.[0];
  const items = useMemo(
    () => pages?.slice(0, count).flatMap((page) => page.data) ?? [],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `edition` stands for `pages`
    [count, edition],
  );
  return {
    items,
    isPending: query.isPending,
    isComplete,
    error: query.error,
    refetch: query.refetch,
  };
}
