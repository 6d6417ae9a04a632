/** Tries a draft on the past while it is being written, a short while after the last change. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { key } from '@/api/keys';
import { backtest } from '@/api/rules';
import type { NewRule } from '@/api/types';
import { SPANS } from './buckets';

/** Shorter feels live; much shorter asks for every letter. */
const REST_MS = 400;

function useRested<T>(value: T): T {
  const text = JSON.stringify(value);
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(JSON.parse(text) as T), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

export function useBacktest(rule: NewRule | null, span: string) {
  const rested = useRested(rule);
  const { ms } = SPANS[span] ?? { ms: 604_800_000 };
  const query = useQuery({
    queryKey: key('backtest', rested, span),
    queryFn: async ({ signal }) => {
      const to = Date.now();
      const from = to - ms;
      const result = await backtest(
        rested as NewRule,
        new Date(from).toISOString(),
        undefined,
        signal,
      );
      return { result, from, to };
    },
    enabled: rested !== null && rested.webhook_endpoint_id !== '',
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 30_000,
  });
  const isSettled = JSON.stringify(rested) === JSON.stringify(rule);
  return { ...query, isSettled };
}
