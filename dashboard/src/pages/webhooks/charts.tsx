import { useQuery } from '@tanstack/react-query';
import { filled, statsQuery, successRate, totalsOf } from '@/api/stats';
import { Bars } from '@/charts/bars';
import { tookText } from '@/format/duration';
import { countText, percentText } from '@/format/number';
import { Card } from '@/ui/page';
import { useHour } from '@/ui/time';
import { failureText } from '@/words/reason';
import { HOURS, RATE_MEANS } from './health';

/** The last day: what was delivered and what failed, by the hour, and why it failed. */
export function EndpointCharts({ endpointId }: { endpointId: string }) {
  const { data } = useQuery(
    statsQuery('hour', HOURS, undefined, { webhook_endpoint_id: endpointId }),
  );
  const thisHour = useHour();
  const own = data ?? [];
  if (own.length === 0) return null;
  const totals = totalsOf(own);
  const rate = successRate(totals);
  const slots = filled(own, 'hour', HOURS, thisHour);
  const reasons = new Map<string, number>();
  for (const stat of own) {
    for (const [reason, count] of Object.entries(stat.failure_reasons ?? {})) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
  }
  const hour = (at: number) =>
    new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return (
    <div className="grid gap-6 lg:grid-cols-[2fr_1fr]">
      <Card
        title="Last 24 hours"
        aside={
          <span className="text-muted text-[13px]" title={RATE_MEANS}>
            {rate === null ? 'nothing ended yet' : `${percentText(rate)} delivered`}
          </span>
        }
      >
        <Bars
          label="Attempts by the hour, failed ones in red"
          bars={slots.map((slot) => ({
            key: String(slot.at),
            label: `${hour(slot.at)}: ${slot.delivered} delivered, ${slot.failed} attempts failed`,
            value: slot.delivered + slot.failed,
            failed: slot.failed,
          }))}
          from={hour(slots[0]?.at ?? 0)}
          to="now"
        />
      </Card>
      <Card title="Figures">
        <dl className="grid grid-cols-2 gap-4">
          {[
            ['Delivered', countText(totals.delivered)],
            ['Lost', countText(totals.dead)],
            ['Attempts failed', countText(totals.failed)],
            ['p99', totals.p99 === null ? 'none' : tookText(totals.p99)],
          ].map(([term, value]) => (
            <div key={term}>
              <dt className="text-muted text-[13px]">{term}</dt>
              <dd className="numbers text-lg font-semibold">{value}</dd>
            </div>
          ))}
        </dl>
        {reasons.size > 0 && (
          <>
            <h3 className="text-muted mt-4 mb-1 text-[13px]">Why attempts failed</h3>
            <ul className="space-y-1">
              {[...reasons]
                .sort((a, b) => b[1] - a[1])
                .slice(0, 6)
                .map(([reason, count]) => (
                  <li key={reason} className="flex justify-between gap-3">
                    <span>{failureText(reason)}</span>
                    <span className="numbers">{countText(count)}</span>
                  </li>
                ))}
            </ul>
          </>
        )}
      </Card>
    </div>
  );
}
