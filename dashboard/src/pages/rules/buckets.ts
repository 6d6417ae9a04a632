/** Times sorted into equal spans: the bars of a backtest. */
import type { Bar } from '@/charts/bars';
import { plural } from '@/format/number';

export const SPANS: Record<string, { label: string; ms: number; bars: number }> = {
  '24h': { label: 'the last 24 hours', ms: 86_400_000, bars: 24 },
  '7d': { label: 'the last 7 days', ms: 604_800_000, bars: 28 },
  '30d': { label: 'the last 30 days', ms: 2_592_000_000, bars: 30 },
};

export interface Match {
  event_id: string;
  at: string;
  group?: unknown;
}

export interface Bucket extends Bar {
  matches: Match[];
}

const TIME = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

export function bucketsOf(matches: Match[], from: number, to: number, count: number): Bucket[] {
  const width = (to - from) / count;
  const buckets = Array.from({ length: count }, (_, i): Bucket => ({
    key: String(i),
    label: TIME.format(from + i * width),
    value: 0,
    matches: [],
  }));
  for (const match of matches) {
    // What an event's own time says may lie outside of when events came in; it counts at the edge.
    const i = Math.min(count - 1, Math.max(0, Math.floor((Date.parse(match.at) - from) / width)));
    const bucket = buckets[i];
    if (bucket) {
      bucket.value++;
      bucket.matches.push(match);
    }
  }
  for (const bucket of buckets) bucket.label += `: ${plural(bucket.value, 'alert')}`;
  return buckets;
}
