/** Where alerts go, and whether it works. */
import { getRouteApi } from '@tanstack/react-router';
import { Plus, Webhook } from 'lucide-react';
import { useTroubledEndpoints } from '@/api/circuits';
import { useMay } from '@/api/session';
import type { Endpoint } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { Sparkline } from '@/charts/sparkline';
import { percentText, plural } from '@/format/number';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Select } from '@/ui/field';
import { Page } from '@/ui/page';
import { RowLink } from '@/ui/row-link';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { AddWebhook } from './add';
import { filterEndpoints, hostOf } from './filter';
import { RATE_MEANS, useHealth, type Health } from './health';
import { TargetIcon, targetName } from './target-icon';

const route = getRouteApi('/webhooks');
const ROW_HEIGHT = 60;

export function WebhooksPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const endpoints = useEndpoints();
  const health = useHealth();
  const troubled = useTroubledEndpoints();
  const canEdit = useMay('editor');
  const set = (change: typeof search) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const known = endpoints.items.map((endpoint) => troubled.get(endpoint.id) ?? endpoint);
  const shown = filterEndpoints(known, search);
  const targets = [...new Set(endpoints.items.map((endpoint) => endpoint.target))].sort();
  const isFiltered = Boolean(search.q ?? search.state ?? search.target);
  const addButton = canEdit && (
    <Button look="primary" onClick={() => set({ add: '1' })}>
      <Plus /> Add webhook
    </Button>
  );
  return (
    <Page
      title="Webhooks"
      icon={Webhook}
      subtitle="Where alerts go, and whether it works."
      actions={addButton}
    >
      {endpoints.error && endpoints.items.length === 0 ? (
        <Failure error={endpoints.error} onRetry={() => void endpoints.refetch()} />
      ) : endpoints.isPending ? (
        <Skeleton />
      ) : endpoints.items.length === 0 ? (
        <Empty title="No webhooks yet" icon={<Webhook />} action={addButton}>
          A webhook is a place that alerts are sent to: a Slack channel, a PagerDuty service, any
          URL.
        </Empty>
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <SearchBox
              label="Search webhooks"
              value={search.q ?? ''}
              onChange={(q) => set({ q: q || undefined } as typeof search)}
            />
            <Select
              aria-label="State"
              className="w-auto"
              value={search.state ?? ''}
              onChange={(event) => set({ state: event.target.value || undefined } as typeof search)}
            >
              <option value="">Any state</option>
              <option value="on">On</option>
              <option value="off">Off</option>
              <option value="open">Circuit open</option>
            </Select>
            {targets.length > 1 && (
              <Select
                aria-label="Target"
                className="w-auto"
                value={search.target ?? ''}
                onChange={(event) =>
                  set({ target: event.target.value || undefined } as typeof search)
                }
              >
                <option value="">Any target</option>
                {targets.map((target) => (
                  <option key={target} value={target}>
                    {targetName(target)}
                  </option>
                ))}
              </Select>
            )}
            <span className="text-muted numbers ml-auto text-[13px]" role="status">
              {plural(shown.length, 'webhook')}
              {!endpoints.isComplete && '…'}
            </span>
          </div>
          {shown.length === 0 ? (
            <Empty
              title="No webhook matches"
              action={
                isFiltered && (
                  <Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>
                )
              }
            >
              Of {plural(endpoints.items.length, 'webhook')} none has this name, host and state.
            </Empty>
          ) : (
            <div className="bg-card overflow-hidden rounded-lg border">
              <Rows
                items={shown}
                rowHeight={ROW_HEIGHT}
                label="Webhooks"
                keyOf={(endpoint) => endpoint.id}
                render={(endpoint) => (
                  <Row endpoint={endpoint} health={health?.get(endpoint.id) ?? null} />
                )}
              />
            </div>
          )}
        </>
      )}
      {canEdit && search.add && (
        <AddWebhook onClose={() => set({ add: undefined } as unknown as typeof search)} />
      )}
    </Page>
  );
}

function Row({ endpoint, health }: { endpoint: Endpoint; health: Health | null }) {
  const circuit = endpoint.circuit?.state;
  return (
    <RowLink
      to="/webhooks/$id"
      id={endpoint.id}
      className="hover:bg-accent flex h-full items-center gap-4 border-b px-4 outline-offset-[-2px]"
    >
      <TargetIcon target={endpoint.target} className="text-muted size-5 shrink-0" />
      <span className="min-w-0 grow">
        <span className={cn('block truncate font-medium', !endpoint.is_active && 'text-muted')}>
          <Foreign text={endpoint.name} />
        </span>
        <span className="text-muted block truncate text-[13px]">
          <Foreign text={hostOf(endpoint.target_url)} />
        </span>
      </span>
      {!endpoint.is_active ? (
        <Badge tone="muted">Off</Badge>
      ) : circuit === 'open' ? (
        <Badge tone="danger">Circuit open</Badge>
      ) : circuit === 'half_open' ? (
        <Badge tone="waiting">Probing</Badge>
      ) : null}
      {health && (
        <>
          <span className="max-sm:hidden">
            <Sparkline
              slots={health.slots}
              label={`Last 24 hours: ${health.delivered} delivered, ${health.failed} attempts failed`}
            />
          </span>
          <span
            className={cn(
              'numbers w-16 text-right',
              health.rate !== null && health.rate < 0.95 && 'text-danger font-semibold',
            )}
            title={RATE_MEANS}
          >
            {health.rate === null ? '' : percentText(health.rate)}
          </span>
        </>
      )}
    </RowLink>
  );
}
