/** A webhook by the hour or the day: what was delivered and what failed, how it answered, and what it was told. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { filled, statsQuery, successRate, totalsOf, type Stat, type StatStep } from '@/api/stats';
import { Bars } from '@/charts/bars';
import { Tally } from '@/charts/tally';
import { tookText } from '@/format/duration';
import { countText, percentText } from '@/format/number';
import { Segments } from '@/ui/choice';
import { Card, Facts } from '@/ui/page';
import { useHour } from '@/ui/time';
import { failureText } from '@/words/reason';
import { answersOf, countsOf } from './answered';
import { RATE_MEANS } from './health';

type Span = '24h' | '7d';

const SPANS: Record<Span, { step: StatStep; steps: number; words: string }> = {
  '24h': { step: 'hour', steps: 24, words: 'the last 24 hours' },
  '7d': { step: 'day', steps: 7, words: 'the last 7 days' },
};

export function EndpointCharts({ endpointId }: { endpointId: string }) {
  const [span, setSpan] = useState<Span>('24h');
  const { step, steps, words } = SPANS[span];
  const { data } = useQuery(
    statsQuery(step, steps, undefined, { webhook_endpoint_id: endpointId }),
  );
  const thisHour = useHour();
  // An older host of a mixed fleet has no figures.
  if (data === null) return null;
  const own = data ?? [];
  const totals = totalsOf(own);
  const rate = successRate(totals);
  const slots = filled(own, step, steps, thisHour);
  const name = nameOf(step);
  return (
    <section aria-label={`Figures of ${words}`} className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Segments
          label="Time"
          size="small"
          value={span}
          options={[
            ['24h', '24 hours'],
            ['7d', '7 days'],
          ]}
          onChange={setSpan}
        />
        <span className="text-muted text-[13px]" title={RATE_MEANS}>
          {rate === null
            ? `No alert reached its end in ${words}`
            : `${percentText(rate)} delivered in ${words}`}
        </span>
      </div>
      <div className="grid gap-6 lg:grid-cols-[2fr_1fr]">
        <Card title="Attempts">
          <Bars
            label={`Attempts by the ${step}, failed ones in red`}
            bars={slots.map((slot) => ({
              key: String(slot.at),
              label: `${name(slot.at)}: ${slot.delivered} delivered, ${slot.failed} attempts failed`,
              value: slot.delivered + slot.failed,
              failed: slot.failed,
            }))}
            from={name(slots[0]?.at ?? 0)}
            to={step === 'hour' ? 'now' : 'today'}
          />
        </Card>
        <Card title="Figures">
          <Facts
            facts={[
              ['Delivered', countText(totals.delivered)],
              ['Lost', countText(totals.dead)],
              ['Attempts', countText(totals.attempts)],
              ['Failed', countText(totals.failed)],
              ['p99', totals.p99 === null ? 'none' : tookText(totals.p99)],
            ]}
          />
        </Card>
      </div>
      {totals.attempts > 0 && <Answers own={own} />}
    </section>
  );
}

function Answers({ own }: { own: Stat[] }) {
  return (
    <div className="grid gap-6 lg:grid-cols-3">
      <Card title="Response codes">
        <Tally rows={answersOf(own)} />
      </Card>
      <Card title="Why attempts failed">
        <Tally
          rows={countsOf(own, (stat) => stat.failure_reasons).map((row) => ({
            ...row,
            name: failureText(row.name),
            tone: 'danger' as const,
          }))}
          none="None did."
        />
      </Card>
      <Card title="Alerts by event type">
        <Tally rows={countsOf(own, (stat) => stat.event_types)} none="None reached its end." />
      </Card>
    </div>
  );
}

function nameOf(step: StatStep): (at: number) => string {
  return (at) =>
    step === 'hour'
      ? new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
      : // Days are of UTC, as the host counts them.
        new Date(at).toLocaleDateString(undefined, {
          month: 'short',
          day: 'numeric',
          timeZone: 'UTC',
        });
}
