/** Did it go out? A live list, the newest first. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Bell } from 'lucide-react';
import { deliveriesQuery, type DeliveryFilters } from '@/api/deliveries';
import { useRules } from '@/api/rules';
import type { DeliveryStatus } from '@/api/types';
import { useEndpointNames, useEndpoints } from '@/api/webhooks';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Page } from '@/ui/page';
import { Picker } from '@/ui/picker';
import { Rows } from '@/ui/rows';
import { Empty, Failure, InlineError, Note, Skeleton } from '@/ui/states';
import { Shape } from '@/ui/status';
import { STATUS } from '@/words/delivery';
import { SpanFilter } from '../span-filter';
import { DeliveryRow, ROW_HEIGHT } from './row';
import { useDeliveries } from './use-deliveries';

const route = getRouteApi('/deliveries');

export function DeliveriesPage() {
  const { ns: _, ...search } = route.useSearch();
  const filters: DeliveryFilters = {
    ...(search.status ? { status: search.status } : {}),
    ...(search.rule ? { alert_rule_id: search.rule } : {}),
    ...(search.endpoint ? { webhook_endpoint_id: search.endpoint } : {}),
    ...(search.event ? { event_id: search.event } : {}),
    ...(search.from ? { from: search.from } : {}),
    ...(search.to ? { to: search.to } : {}),
  };
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
  const statuses: [DeliveryStatus | undefined, string][] = [
    [undefined, 'All'],
    ...(Object.entries(STATUS) as [DeliveryStatus, { label: string }][]).map(
      ([status, { label }]): [DeliveryStatus, string] => [status, label],
    ),
  ];
  return (
    <div className="flex flex-wrap items-center gap-2">
      <div
        role="group"
        aria-label="Status"
        className="flex max-w-full overflow-x-auto rounded-md border"
      >
        {statuses.map(([status, label]) => (
          <button
            key={label}
            type="button"
            aria-pressed={search.status === status}
            onClick={() => set({ status })}
            className={cn(
              'h-9 px-3 whitespace-nowrap outline-offset-[-2px] not-last:border-r',
              search.status === status ? 'bg-accent font-semibold' : 'text-muted hover:text-fg',
            )}
          >
            {label}
          </button>
        ))}
      </div>
      <Picker
        aria-label="Rule"
        className="w-auto max-w-52"
        none="Any rule"
        items={rules.items}
        value={search.rule ?? ''}
        onChange={(rule) => set({ rule: rule || undefined })}
      />
      <Picker
        aria-label="Webhook"
        className="w-auto max-w-52"
        none="Any webhook"
        items={endpoints.items}
        value={search.endpoint ?? ''}
        onChange={(endpoint) => set({ endpoint: endpoint || undefined })}
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

/** What failed stands above what did not, wherever it is in the list. */
function FailedFirst() {
  const { data } = useQuery(deliveriesQuery({ status: 'dead' }, 100));
  const day = (data?.data ?? []).filter(isOfToday);
  if (day.length === 0) return null;
  return (
    <Note tone="danger">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <span className="flex items-center gap-2">
          <Shape tone="danger" />
          {day.length >= 100 ? 'More than 100 alerts' : plural(day.length, 'alert')} of the last 24
          hours {day.length === 1 ? 'was' : 'were'} lost.
        </span>
        <span className="flex gap-2">
          <Button asChild size="small">
            <Link to="/deliveries" search={{ status: 'dead' }}>
              Show them
            </Link>
          </Button>
          <Button asChild size="small">
            <Link to="/dead-letters">Resend…</Link>
          </Button>
        </span>
      </div>
    </Note>
  );
}

const isOfToday = ({ created_at }: { created_at: string }) =>
  Date.now() - Date.parse(created_at) < 86_400_000;

function List({ filters }: { filters: DeliveryFilters }) {
  const navigate = route.useNavigate();
  const { items, cursor, isPending, error, loadMore, reload } = useDeliveries(filters);
  const names = useEndpointNames();
  if (isPending) return <Skeleton />;
  if (error && items.length === 0) return <Failure error={error} onRetry={() => void reload()} />;
  if (items.length === 0) {
    return Object.keys(filters).length > 0 ? (
      <Empty
        title="No delivery matches"
        action={<Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>}
      >
        There may be others, of another state, rule, webhook or time.
      </Empty>
    ) : (
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
    );
  }
  return (
    <>
      <div className="bg-card overflow-hidden rounded-lg border">
        <Rows
          items={items}
          rowHeight={ROW_HEIGHT}
          label="Deliveries"
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
    </>
  );
}
