/** The last day of each endpoint, from the rolled-up figures. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useHour } from '@/ui/time';
import { filled, statsQuery, successRate, totalsOf, type Stat } from '@/api/stats';

export const HOURS = 24;

export interface Health {
  slots: { delivered: number; failed: number }[];
  rate: number | null;
  delivered: number;
  dead: number;
  failed: number;
}

/** What a rate means, said wherever one is shown. */
export const RATE_MEANS =
  'Of the alerts that reached their end in the last 24 hours, the share that was delivered.';

/** By endpoint id; null where the host has no figures. */
export function useHealth(): Map<string, Health> | null {
  const { data } = useQuery(statsQuery('hour', HOURS, 'webhook_endpoint_id'));
  const hour = useHour();
  return useMemo(() => (data ? healthOf(data, hour) : null), [data, hour]);
}

export function healthOf(stats: Stat[], now: number): Map<string, Health> {
  const byEndpoint = new Map<string, Stat[]>();
  for (const stat of stats) {
    const id = stat.webhook_endpoint_id;
    if (!id) continue;
    const own = byEndpoint.get(id);
    if (own) own.push(stat);
    else byEndpoint.set(id, [stat]);
  }
  return new Map(
    [...byEndpoint].map(([id, own]) => {
      const { delivered, dead, failed } = totalsOf(own);
      const rate = successRate({ delivered, dead });
      return [id, { slots: filled(own, 'hour', HOURS, now), rate, delivered, dead, failed }];
    }),
  );
}
