/** Dead letters, all of them up to a bound, so that what is about to be sent again can be counted. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { fetchDeadLetters, type DeadLetterFilters } from '@/api/deliveries';
import { key } from '@/api/keys';

/** More than this is counted on demand: each page is a request. */
const FETCHED_BY_ITSELF = 5_000;

export function useDeadLetters(filters: DeadLetterFilters) {
  const query = useInfiniteQuery({
    queryKey: key('dead-letters', 'all', filters),
    queryFn: ({ pageParam }) => fetchDeadLetters(filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    structuralSharing: false,
  });
  const letters = useMemo(() => query.data?.pages.flatMap((page) => page.data) ?? [], [query.data]);
  const { hasNextPage, isFetching, fetchNextPage, isError } = query;
  const goesOn = letters.length < FETCHED_BY_ITSELF;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError && goesOn) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, goesOn, fetchNextPage]);
  return { ...query, letters, isCounting: hasNextPage && goesOn };
}
