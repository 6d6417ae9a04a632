/** Keeps a long list of deliveries true while the host goes on. The list is ordered by id, the newest first, without gaps. */
import type { Delivery } from '@/api/types';

/** A list so far, and where it goes on. */
export interface Loaded {
  items: Delivery[];
  cursor: string | null;
}

/** Where a delivery stands in a list, or would stand: the first that is not newer. Halves the list until it is found. */
function placeOf(list: Delivery[], id: string): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const there = list[middle];
    if (there && there.id > id) from = middle + 1;
    else to = middle;
  }
  return from;
}

export const has = (list: Delivery[], id: string) => list[placeOf(list, id)]?.id === id;

/** Whether a part from the top reaches what the list has, so that nothing is missing between the two. */
export function reaches(list: Delivery[], top: Loaded): boolean {
  const [newest, last] = [list[0], top.items.at(-1)];
  return !newest || top.cursor === null || (last !== undefined && last.id <= newest.id);
}

/**
 * The list with its top read anew: what is there now takes the place of what was, so that what is new has come and what
 * matches no more is gone. A list that the new top does not reach ends with that top.
 */
export function withTop(list: Loaded, top: Loaded): Loaded {
  const last = top.items.at(-1);
  if (!last || !reaches(list.items, top)) return top;
  const place = placeOf(list.items, last.id);
  const end = list.items[place]?.id === last.id ? place + 1 : place;
  const older = top.cursor === null ? [] : list.items.slice(end);
  const before = new Map(list.items.slice(0, end).map((known) => [known.id, known]));
  const items = top.items.map((now) => {
    const known = before.get(now.id);
    // The same object for what is the same: its row is not drawn anew.
    return known && isSame(known, now) ? known : now;
  });
  return { items: [...items, ...older], cursor: older.length > 0 ? list.cursor : top.cursor };
}

/** What the stream told of rows that the list has. */
export function patchChanged(list: Delivery[], changed: { id: string }[]): Delivery[] {
  const known = changed.filter(({ id }) => has(list, id));
  if (known.length === 0) return list;
  const patched = [...list];
  for (const news of known) {
    const place = placeOf(list, news.id);
    patched[place] = { ...patched[place], ...news } as Delivery;
  }
  return patched;
}

export function appendOlder(list: Delivery[], older: Delivery[]): Delivery[] {
  const known = new Set(list.slice(-older.length * 2).map((delivery) => delivery.id));
  return [...list, ...older.filter((delivery) => !known.has(delivery.id))];
}

/** Whether nothing changed that is shown. */
function isSame(a: Delivery, b: Delivery): boolean {
  return (
    a.status === b.status &&
    a.attempt_count === b.attempt_count &&
    a.last_error === b.last_error &&
    a.redriven_as === b.redriven_as &&
    a.next_attempt_at === b.next_attempt_at
  );
}
