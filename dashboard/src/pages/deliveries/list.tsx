/** Did it go out? A live list, the newest first. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Bell } from 'lucide-react';
import { countsQuery, type DeliveryFilters } from '@/api/deliveries';
import { useRules } from '@/api/rules';
import type { DeliveryStatus } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { boundedText, plural } from '@/format/number';
import { Button } from '@/ui/button';
import { FilterSelect, Segments } from '@/ui/choice';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { Rows } from '@/ui/rows';
import { Empty, InlineError, Note } from '@/ui/states';
import { Shape } from '@/ui/status';
import { useHour } from '@/ui/time';
import { STATUS } from '@/words/delivery';
import { SpanFilter } from '../span-filter';
import { DeliveryRow, ROW_HEIGHT } from './row';
import { useDeliveries } from './use-deliveries';

const route = getRouteApi('/deliveries');
const DAY_MS = 86_400_000;

function filtersOf(search: {
  status?: DeliveryStatus;
  rule?: string;
  endpoint?: string;
  event?: string;
  from?: string;
  to?: string;
}): DeliveryFilters {
  return {
    ...(search.status ? { status: search.status } : {}),
    ...(search.rule ? { alert_rule_id: search.rule } : {}),
    ...(search.endpoint ? { webhook_endpoint_id: search.endpoint } : {}),
    ...(search.event ? { event_id: search.event } : {}),
    ...(search.from ? { from: search.from } : {}),
    ...(search.to ? { to: search.to } : {}),
  };
}

export function DeliveriesPage() {
  const { ns: _, ...search } = route.useSearch();
  const filters = filtersOf(search);
  return (
    <Page title="Deliveries" icon={Bell} subtitle="Each alert on its way to a webhook.">
      <Filters />
      {!search.status && <FailedFirst />}
      {/* Another filter is another list. */}
      <List key={JSON.stringify(filters)} filters={filters} />
    </Page>
  );
}

function Filters() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const rules = useRules();
  const endpoints = useEndpoints();
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const { status: _, ...others } = filtersOf(search);
  const counts = useQuery(countsQuery(others)).data;
  const countOf = (status: DeliveryStatus) =>
    counts ? boundedText(counts.by_status[status] ?? 0, counts.most_counted) : '';
  const statuses: [DeliveryStatus | undefined, string, string?][] = [
    [undefined, 'All'],
    ...(Object.entries(STATUS) as [DeliveryStatus, { label: string }][]).map(
      ([status, { label }]): [DeliveryStatus, string, string | undefined] => [
        status,
        label,
        countOf(status),
      ],
    ),
  ];
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Segments
        label="Status"
        value={search.status}
        options={statuses}
        onChange={(status) => set({ status })}
      />
      <FilterSelect
        label="Rule"
        any="Any rule"
        value={search.rule}
        options={rules.items.map((rule) => [rule.id, rule.name])}
        onChange={(rule) => set({ rule })}
      />
      <FilterSelect
        label="Webhook"
        any="Any webhook"
        value={search.endpoint}
        options={endpoints.items.map((endpoint) => [endpoint.id, endpoint.name])}
        onChange={(endpoint) => set({ endpoint })}
      />
      <SpanFilter from={search.from} onChange={(from) => set({ from, to: undefined })} />
      {search.event && (
        <Button size="small" onClick={() => set({ event: undefined })}>
          Of one event ✕
        </Button>
      )}
    </div>
  );
}

function useCountsOfDay() {
  const hour = useHour();
  const from = new Date(hour - DAY_MS).toISOString();
  return { from, ...useQuery(countsQuery({ from })) };
}

/** What failed stands above what did not, wherever it is in the list. */
function FailedFirst() {
  const { from, data } = useCountsOfDay();
  const lost = data?.to_redrive ?? 0;
  if (!data || lost === 0) return null;
  return (
    <Note tone="danger">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <span className="flex items-center gap-2">
          <Shape tone="danger" />
          {lost >= data.most_counted ? 'More than ' : ''}
          {plural(lost, 'alert')} of the last 24 hours {lost === 1 ? 'was' : 'were'} given up, and
          not sent again.
        </span>
        <span className="flex gap-2">
          <Button asChild size="small">
            <Link to="/deliveries" search={{ status: 'dead', from }}>
              Show them
            </Link>
          </Button>
          <Button asChild size="small">
            <Link to="/dead-letters" search={{ from }}>
              Resend…
            </Link>
          </Button>
        </span>
      </div>
    </Note>
  );
}

function List({ filters }: { filters: DeliveryFilters }) {
  const navigate = route.useNavigate();
  const { items, cursor, isPending, error, loadMore, reload } = useDeliveries(filters);
  // What stands above the list is counted; it is there before the list is, so that nothing jumps.
  const isCounting = useCountsOfDay().isPending;
  const endpoints = useEndpoints();
  const names = new Map(endpoints.items.map((endpoint) => [endpoint.id, endpoint.name]));
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <ListStates
      isPending={isPending || isCounting}
      error={error}
      onRetry={() => void reload()}
      // How many there are without the filters is not known here: some may be.
      all={isFiltered && !error ? 1 : items.length}
      shown={items.length}
      empty={
        <Empty
          title="Nothing was sent yet"
          icon={<Bell />}
          action={
            <Button asChild>
              <Link to="/rules">Look at the rules</Link>
            </Button>
          }
        >
          When a rule fires, its alert appears here by itself, with every attempt to deliver it.
        </Empty>
      }
      nothing={{
        title: 'No delivery matches',
        why: 'There may be others, of another state, rule, webhook or time.',
        onClear: () => void navigate({ search: {} }),
      }}
    >
      <div className="bg-card overflow-hidden rounded-lg border">
        <Rows
          items={items}
          rowHeight={ROW_HEIGHT}
          label="Deliveries"
          isStateless
          keyOf={(delivery) => delivery.id}
          onEnd={loadMore}
          render={(delivery) => (
            <DeliveryRow
              delivery={delivery}
              endpointName={names.get(delivery.webhook_endpoint_id)}
            />
          )}
        />
      </div>
      <InlineError error={error} />
      <p className="text-muted numbers text-center text-[13px]" role="status">
        {cursor
          ? `${plural(items.length, 'delivery', 'deliveries')} shown; scroll for more`
          : `${plural(items.length, 'delivery', 'deliveries')}, all there are`}
      </p>
    </ListStates>
  );
}
