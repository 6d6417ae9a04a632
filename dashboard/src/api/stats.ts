/** Figures over time, as the host rolls them up. */
import { queryOptions } from '@tanstack/react-query';
import { api, take } from './client';
import { key } from './keys';
import { ApiProblem } from './problem';
import type { components } from './schema';

export type Stat = components['schemas']['StatsRow'];
export type StatStep = 'minute' | 'hour' | 'day';
export type StatBy = 'webhook_endpoint_id' | 'alert_rule_id' | 'event_type';

const STEP_MS: Record<StatStep, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export interface About {
  webhook_endpoint_id?: string;
  alert_rule_id?: string;
}

/** From so many steps ago until now. The start is on a step, so that a reload asks the same. */
export const statsQuery = (step: StatStep, steps: number, by?: StatBy, about: About = {}) =>
  queryOptions({
    queryKey: key('stats', step, steps, by, about),
    queryFn: async (): Promise<Stat[] | null> => {
      const now = Math.floor(Date.now() / STEP_MS[step]) * STEP_MS[step];
      const from = new Date(now - (steps - 1) * STEP_MS[step]).toISOString();
      try {
        const query = { from, step, ...(by ? { by } : {}), ...about };
        return (await take(api.GET('/v1/stats', { params: { query } }))).data;
      } catch (error) {
        // An older host in a mixed fleet has no figures, and an answer has room for some hundred endpoints by the hour. Lists do without.
        if (error instanceof ApiProblem && [400, 404].includes(error.status)) return null;
        throw error;
      }
    },
    refetchInterval: 60_000,
    retry: false,
  });

export interface Totals {
  events: number;
  delivered: number;
  dead: number;
  attempts: number;
  failed: number;
  p99: number | null;
}

export function totalsOf(stats: Stat[]): Totals {
  const total: Totals = { events: 0, delivered: 0, dead: 0, attempts: 0, failed: 0, p99: null };
  for (const stat of stats) {
    total.events += stat.events;
    total.delivered += stat.delivered;
    total.dead += stat.dead;
    total.attempts += stat.attempts;
    total.failed += stat.failed_attempts;
    if (stat.p99_ms != null) total.p99 = Math.max(total.p99 ?? 0, stat.p99_ms);
  }
  return total;
}

/** Of the alerts that reached their end, the share that was delivered; null when none did. */
export function successRate(totals: Pick<Totals, 'delivered' | 'dead'>): number | null {
  const ended = totals.delivered + totals.dead;
  return ended === 0 ? null : totals.delivered / ended;
}

/** One value for each step, zero where nothing was. */
export function filled(
  stats: Stat[],
  step: StatStep,
  steps: number,
  now: number,
): { at: number; delivered: number; failed: number; dead: number; events: number }[] {
  const last = Math.floor(now / STEP_MS[step]) * STEP_MS[step];
  const slots = Array.from({ length: steps }, (_, i) => ({
    at: last - (steps - 1 - i) * STEP_MS[step],
    delivered: 0,
    failed: 0,
    dead: 0,
    events: 0,
  }));
  for (const stat of stats) {
    const slot = slots[steps - 1 - Math.round((last - Date.parse(stat.at)) / STEP_MS[step])];
    if (!slot) continue;
    slot.delivered += stat.delivered;
    slot.failed += stat.failed_attempts;
    slot.dead += stat.dead;
    slot.events += stat.events;
  }
  return slots;
}
