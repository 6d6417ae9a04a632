/** Keeps a long list of deliveries true while the host goes on: new ones on top, changed ones in their place. */
import type { Delivery } from '@/api/types';

/** `newest` is a page from the top, in the list's order. What the list has is replaced in place; what is new comes first. */
export function mergeNewest(list: Delivery[], newest: Delivery[]): Delivery[] {
  const fresh = new Map(newest.map((delivery) => [delivery.id, delivery]));
  let isChanged = false;
  const kept = list.map((known) => {
    const now = fresh.get(known.id);
    if (!now) return known;
    fresh.delete(known.id);
    if (isSame(known, now)) return known;
    isChanged = true;
    return now;
  });
  if (fresh.size === 0) return isChanged ? kept : list;
  return [...newest.filter((delivery) => fresh.has(delivery.id)), ...kept];
}

/** What the stream told of rows that the list has. */
export function patchChanged(list: Delivery[], changed: { id: string }[]): Delivery[] {
  const byId = new Map(changed.map((each) => [each.id, each]));
  if (!list.some((delivery) => byId.has(delivery.id))) return list;
  return list.map((delivery) => {
    const news = byId.get(delivery.id);
    return news ? { ...delivery, ...news } : delivery;
  });
}

export function appendOlder(list: Delivery[], older: Delivery[]): Delivery[] {
  const known = new Set(list.slice(-older.length * 2).map((delivery) => delivery.id));
  return [...list, ...older.filter((delivery) => !known.has(delivery.id))];
}

/** Whether nothing changed that is shown, so that the row need not be drawn anew. */
function isSame(a: Delivery, b: Delivery): boolean {
  return (
    a.status === b.status &&
    a.attempt_count === b.attempt_count &&
    a.last_error === b.last_error &&
    a.redriven_as === b.redriven_as &&
    a.next_attempt_at === b.next_attempt_at
  );
}
