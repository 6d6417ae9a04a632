/** Is anything wrong? One sentence; what is wrong, each with its remedy; then the figures. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { countsQuery, deliveriesQuery } from '@/api/deliveries';
import { usePlugins } from '@/api/operators';
import { useRules } from '@/api/rules';
import { filled, statsQuery, totalsOf, successRate } from '@/api/stats';
import { isTroubled, useEndpoints } from '@/api/webhooks';
import { Bars } from '@/charts/bars';
import { tookText } from '@/format/duration';
import { countText, percentText } from '@/format/number';
import { Button } from '@/ui/button';
import { Card, Page } from '@/ui/page';
import { Failure, Skeleton } from '@/ui/states';
import { Shape } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { useHour } from '@/ui/time';
import { DeliveryRow } from '../deliveries/row';
import { RATE_MEANS } from '../webhooks/health';
import { FirstSteps } from './first-steps';
import { headline } from './headline';
import { troublesOf, type Trouble } from './problems';

const LatencyChart = lazy(() => import('@/charts/latency-chart'));
const HOURS = 24;

export function OverviewPage() {
  const endpoints = useEndpoints();
  const rules = useRules();
  const plugins = usePlugins();
  const stats = useQuery(statsQuery('hour', HOURS));
  const counts = useQuery(countsQuery());
  const newest = useQuery(deliveriesQuery({}, 8));
  const [isGuided, setGuided] = useState(false);
  const failure = endpoints.error ?? rules.error ?? counts.error;
  if (failure && endpoints.items.length === 0) {
    return (
      <Failure
        error={failure}
        onRetry={() => {
          void endpoints.refetch();
          void rules.refetch();
        }}
      />
    );
  }
  if (endpoints.isPending || rules.isPending || counts.isPending || newest.isPending)
    return <Skeleton />;

  const deliveries = newest.data?.data ?? [];
  const isBegun = endpoints.items.length > 0 && rules.items.length > 0 && deliveries.length > 0;
  // Whoever takes the last step here sees its answer before the figures take the place.
  if (!isBegun && !isGuided) setGuided(true);
  if (!isBegun || isGuided) {
    return (
      <FirstSteps
        endpoint={endpoints.items[0]}
        hasRule={rules.items.length > 0}
        hasArrived={deliveries.some((delivery) => delivery.status === 'delivered')}
        onDone={() => setGuided(false)}
      />
    );
  }
  const troubles = troublesOf({
    endpoints: endpoints.items.filter(isTroubled),
    rules: rules.items,
    dead: counts.data?.to_redrive ?? 0,
    mostCounted: counts.data?.most_counted ?? Infinity,
    plugins: plugins.items,
  });
  const names = new Map(endpoints.items.map((endpoint) => [endpoint.id, endpoint.name]));
  const totals = stats.data ? totalsOf(stats.data) : null;
  return (
    <Page title={headline(totals, troubles.length)}>
      {troubles.length > 0 && <Troubles troubles={troubles} />}
      {totals && stats.data && <Figures stats={stats.data} />}
      <Card
        title="Newest deliveries"
        aside={
          <Button asChild size="small">
            <Link to="/deliveries" search={{}}>
              See all
            </Link>
          </Button>
        }
      >
        <div className="-mx-4 -mb-4 sm:-mx-5 sm:-mb-5">
          {deliveries.map((delivery) => (
            <DeliveryRow
              key={delivery.id}
              delivery={delivery}
              endpointName={names.get(delivery.webhook_endpoint_id)}
            />
          ))}
        </div>
      </Card>
    </Page>
  );
}

function Troubles({ troubles }: { troubles: Trouble[] }) {
  return (
    <ul className="bg-card divide-y rounded-lg border" aria-label="What needs you">
      {troubles.slice(0, 20).map((trouble) => (
        <li key={trouble.key} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3.5">
          <Shape tone="danger" />
          <span className="min-w-0 grow basis-64">
            <strong className="block font-semibold">
              <Foreign text={trouble.what} />
            </strong>
            <span className="text-muted">
              <Foreign text={trouble.why} />
            </span>
          </span>
          <Button asChild size="small">
            {trouble.id ? (
              <Link to={trouble.to as '/rules/$id'} params={{ id: trouble.id }}>
                {trouble.remedy}
              </Link>
            ) : (
              <Link to="/dead-letters">{trouble.remedy}</Link>
            )}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Figures({ stats }: { stats: Parameters<typeof totalsOf>[0] }) {
  const totals = totalsOf(stats);
  const rate = successRate(totals);
  const thisHour = useHour();
  const slots = useMemo(() => filled(stats, 'hour', HOURS, thisHour), [stats, thisHour]);
  const hour = (at: number) =>
    new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  // The same array for the same figures: the chart is made anew for another one.
  const latency = useMemo(() => {
    const byHour = new Map(stats.map((stat) => [Date.parse(stat.at), stat]));
    return slots.map(({ at }) => ({
      at,
      p50: byHour.get(at)?.p50_ms ?? null,
      p99: byHour.get(at)?.p99_ms ?? null,
    }));
  }, [stats, slots]);
  const facts: [string, string, string?][] = [
    ['Events', countText(totals.events)],
    ['Delivered', countText(totals.delivered)],
    ['Success', rate === null ? 'none ended' : percentText(rate), RATE_MEANS],
    [
      'Dead letters',
      countText(totals.dead),
      'Alerts that were given up in this time; some may have been sent again since.',
    ],
    [
      'Slowest p99',
      totals.p99 === null ? 'none' : tookText(totals.p99),
      'Of the hours of the last day: 99 of 100 alerts of the slowest hour were delivered within this.',
    ],
  ];
  return (
    <>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border bg-line sm:grid-cols-5">
        {facts.map(([term, value, means]) => (
          <div key={term} className="bg-card px-5 py-4 max-sm:last:col-span-2" title={means}>
            <dt className="text-muted text-[13px]">{term}</dt>
            <dd className="numbers text-xl font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="grid gap-6 lg:grid-cols-2">
        <Card title="Attempts, last 24 hours">
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
        <Card title="From event to delivered" aside={<Legend />}>
          <Suspense fallback={<div aria-busy="true" className="h-40" />}>
            <LatencyChart points={latency} />
          </Suspense>
          <p className="sr-only">
            The slowest hour’s p99 was {totals.p99 === null ? 'none' : tookText(totals.p99)}.
          </p>
        </Card>
      </div>
    </>
  );
}

const Legend = () => (
  <span className="text-muted flex gap-4 text-[13px]">
    <span className="flex items-center gap-1.5">
      <svg viewBox="0 0 16 4" className="stroke-success w-4" aria-hidden>
        <path d="M0 2H16" strokeWidth="2" />
      </svg>{' '}
      half
    </span>
    <span className="flex items-center gap-1.5">
      <svg viewBox="0 0 16 4" className="stroke-flight w-4" aria-hidden>
        <path d="M0 2H16" strokeWidth="2" strokeDasharray="5 3" />
      </svg>{' '}
      99 of 100
    </span>
  </span>
);
