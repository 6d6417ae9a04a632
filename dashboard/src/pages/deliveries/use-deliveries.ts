/**
 * A list of deliveries that may be very long: pages are appended as the end comes near, and the top is read anew when
 * the stream says so. A cache of whole pages would read all of them again each time.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchDeliveries, type DeliveryFilters } from '@/api/deliveries';
import { isStreamPaused, useStreamMessages, type Changed } from '@/api/stream';
import type { Delivery } from '@/api/types';
import { appendOlder, has, patchChanged, reaches, withTop, type Loaded } from './merge';

interface State {
  items: Delivery[];
  cursor: string | null;
  isPending: boolean;
  error: unknown;
}

const EMPTY: State = { items: [], cursor: null, isPending: true, error: null };

/** Without a stream the top is read anew this often. */
const POLL_MS = 10_000;

/** Most pages from the top that are read to reach what is there; beyond them the list begins anew. */
const MOST_PAGES = 5;

/** From the top down to what is known already: while nobody looked, more than a page may have come. */
async function fetchTop(filters: DeliveryFilters, known: Delivery[]): Promise<Loaded> {
  const first = await fetchDeliveries(filters);
  let top: Loaded = { items: first.data, cursor: first.next_cursor ?? null };
  for (let pages = 1; pages < MOST_PAGES && top.cursor && !reaches(known, top); pages++) {
    const page = await fetchDeliveries(filters, top.cursor);
    top = { items: appendOlder(top.items, page.data), cursor: page.next_cursor ?? null };
  }
  return top;
}

export function useDeliveries(filters: DeliveryFilters) {
  const [state, setState] = useState<State>(EMPTY);
  const isFetching = useRef(false);
  const asked = JSON.stringify(filters);

  // The list asks for more before its page has drawn what came: what is loaded is known here at once.
  const latest = useRef(EMPTY);
  const change = useCallback((next: (now: State) => State) => {
    latest.current = next(latest.current);
    setState(latest.current);
  }, []);

  const loadTop = useCallback(async () => {
    const wanted = JSON.parse(asked) as DeliveryFilters;
    try {
      const top = await fetchTop(wanted, latest.current.items);
      change((now) => ({ ...withTop(now, top), isPending: false, error: null }));
    } catch (error) {
      change((now) => ({ ...now, isPending: false, error }));
    }
  }, [asked, change]);

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
      change((now) => ({
        ...now,
        items: appendOlder(now.items, page.data),
        cursor: page.next_cursor ?? null,
      }));
    } catch (error) {
      change((now) => ({ ...now, error }));
    } finally {
      isFetching.current = false;
    }
  }, [asked, change]);

  const onChanged = useCallback(
    (kind: string, changed: Changed[]) => {
      if (kind !== 'delivery') return;
      const { status } = JSON.parse(asked) as DeliveryFilters;
      change((now) => {
        const items = patchChanged(now.items, changed);
        // What has left the state that is asked for leaves the list.
        return { ...now, items: status ? items.filter((each) => each.status === status) : items };
      });
      const isNew = changed.some(({ id }) => !has(latest.current.items, id));
      if (isNew || asked.includes('"status"')) void loadTop();
    },
    [loadTop, asked, change],
  );
  useStreamMessages(onChanged);

  return { ...state, loadMore: useCallback(() => void loadMore(), [loadMore]), reload: loadTop };
}
