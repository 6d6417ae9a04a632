/**
 * A list of deliveries that may be very long: pages are appended as the end comes near, and the top is read anew when
 * the stream says so. A cache of whole pages would read all of them again each time.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchDeliveries, type DeliveryFilters } from '@/api/deliveries';
import { isStreamPaused, useStreamMessages, type Changed } from '@/api/stream';
import type { Delivery } from '@/api/types';
import { appendOlder, mergeNewest, patchChanged } from './merge';

interface State {
  items: Delivery[];
  cursor: string | null;
  isPending: boolean;
  error: unknown;
}

const EMPTY: State = { items: [], cursor: null, isPending: true, error: null };

/** Without a stream the top is read anew this often. */
const POLL_MS = 10_000;

export function useDeliveries(filters: DeliveryFilters) {
  const [state, setState] = useState<State>(EMPTY);
  const isFetching = useRef(false);
  const latest = useRef(state);
  const asked = JSON.stringify(filters);

  useEffect(() => {
    latest.current = state;
  }, [state]);

  const loadTop = useCallback(async () => {
    const wanted = JSON.parse(asked) as DeliveryFilters;
    try {
      const page = await fetchDeliveries(wanted);
      setState((now) => ({
        // With a filter on the status, what left it must leave the list: the top is taken as it is.
        items:
          wanted.status && now.items.length <= page.data.length
            ? page.data
            : mergeNewest(now.items, page.data),
        cursor:
          now.items.length === 0 || now.items.length <= page.data.length
            ? (page.next_cursor ?? null)
            : now.cursor,
        isPending: false,
        error: null,
      }));
    } catch (error) {
      setState((now) => ({ ...now, isPending: false, error }));
    }
  }, [asked]);

  useEffect(() => {
    const first = setTimeout(() => void loadTop(), 0);
    const poll = setInterval(() => void (isStreamPaused() || loadTop()), POLL_MS);
    return () => {
      clearTimeout(first);
      clearInterval(poll);
    };
  }, [loadTop]);

  const loadMore = useCallback(async () => {
    const { cursor } = latest.current;
    if (!cursor || isFetching.current) return;
    isFetching.current = true;
    try {
      const page = await fetchDeliveries(JSON.parse(asked) as DeliveryFilters, cursor);
      setState((now) => ({
        ...now,
        items: appendOlder(now.items, page.data),
        cursor: page.next_cursor ?? null,
      }));
    } catch (error) {
      setState((now) => ({ ...now, error }));
    } finally {
      isFetching.current = false;
    }
  }, [asked]);

  const onChanged = useCallback(
    (kind: string, changed: Changed[]) => {
      if (kind !== 'delivery') return;
      setState((now) => ({ ...now, items: patchChanged(now.items, changed) }));
      const known = new Set(latest.current.items.map((delivery) => delivery.id));
      if (changed.some(({ id }) => !known.has(id)) || asked.includes('"status"')) void loadTop();
    },
    [loadTop, asked],
  );
  useStreamMessages(onChanged);

  return { ...state, loadMore: useCallback(() => void loadMore(), [loadMore]), reload: loadTop };
}
