/** The one sentence on top of the overview. */
import { successRate, type Totals } from '@/api/stats';
import { tookText } from '@/format/duration';
import { countText, percentText } from '@/format/number';

export function headline(totals: Totals | null, troubles: number): string {
  if (troubles > 0) return troubles === 1 ? 'One thing needs you' : `${troubles} things need you`;
  if (!totals) return 'All good';
  const ended = totals.delivered + totals.dead;
  if (ended === 0) return 'All good: nothing was to be sent in the last 24 hours';
  const rate = percentText(successRate(totals) ?? 1);
  const p99 = totals.p99 === null ? '' : `, p99 ${tookText(totals.p99)}`;
  return `All good: ${countText(ended)} ${ended === 1 ? 'alert' : 'alerts'} in 24 h, ${rate} delivered${p99}`;
}
