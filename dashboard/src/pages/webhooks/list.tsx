/** Where alerts go, and whether it works. */
import { getRouteApi } from '@tanstack/react-router';
import { Plus, Webhook } from 'lucide-react';
import { useMemo } from 'react';
import { useRules } from '@/api/rules';
import { useMay } from '@/api/session';
import type { Endpoint } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { Sparkline } from '@/charts/sparkline';
import { percentText, plural } from '@/format/number';
import { Button } from '@/ui/button';
import { FilterSelect } from '@/ui/choice';
import { cn } from '@/ui/cn';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { RoleNote } from '@/ui/role-note';
import { RowLink } from '@/ui/row-link';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { AddWebhook } from './add';
import { CircuitBadge, NextProbe } from './circuit';
import { filterEndpoints, hostOf } from './filter';
import { RATE_MEANS, useHealth, type Health } from './health';
import { TargetIcon, targetName } from './target-icon';

const route = getRouteApi('/webhooks');
const ROW_HEIGHT = 60;

/** Webhooks to which a rule leads that the host switched off: nothing but a person brings it back. */
function useStopped(): Set<string> {
  const { items } = useRules();
  return useMemo(
    () =>
      new Set(
        items
          .filter((rule) => !rule.is_active && rule.disabled_reason)
          .map((rule) => rule.webhook_endpoint_id),
      ),
    [items],
  );
}

export function WebhooksPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const endpoints = useEndpoints();
  const health = useHealth();
  const stopped = useStopped();
  const canEdit = useMay('editor');
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const shown = filterEndpoints(endpoints.items, search);
  const targets = [...new Set(endpoints.items.map((endpoint) => endpoint.target))].sort();
  const add = canEdit ? (
    <Button look="primary" onClick={() => set({ add: '1' })}>
      <Plus /> Add webhook
    </Button>
  ) : (
    <RoleNote role="editor" what="Adding a webhook" />
  );
  return (
    <Page
      title="Webhooks"
      icon={Webhook}
      subtitle="Where alerts go, and whether it works."
      actions={add}
    >
      {endpoints.items.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <SearchBox
            label="Search webhooks"
            value={search.q ?? ''}
            onChange={(q) => set({ q: q || undefined })}
          />
          <FilterSelect
            label="State"
            any="Any state"
            value={search.state}
            options={[
              ['on', 'On'],
              ['off', 'Off'],
              ['open', 'Circuit open'],
            ]}
            onChange={(state) => set({ state })}
          />
          {targets.length > 1 && (
            <FilterSelect
              label="Target"
              any="Any target"
              value={search.target}
              options={targets.map((target) => [target, targetName(target)])}
              onChange={(target) => set({ target })}
            />
          )}
          <span className="text-muted numbers ml-auto text-[13px]" role="status">
            {plural(shown.length, 'webhook')}
            {!endpoints.isComplete && '…'}
          </span>
        </div>
      )}
      <ListStates
        isPending={endpoints.isPending}
        error={endpoints.error}
        onRetry={() => void endpoints.refetch()}
        all={endpoints.items.length}
        shown={shown.length}
        empty={
          <Empty title="No webhooks yet" icon={<Webhook />} action={add}>
            A webhook is a place that alerts are sent to: a Slack channel, a PagerDuty service, any
            URL.
          </Empty>
        }
        nothing={{
          title: 'No webhook matches',
          why: `Of ${plural(endpoints.items.length, 'webhook')} none has this name, host and state.`,
          onClear: () => void navigate({ search: {} }),
        }}
      >
        <div className="bg-card overflow-hidden rounded-lg border">
          <Rows
            items={shown}
            rowHeight={ROW_HEIGHT}
            label="Webhooks"
            keyOf={(endpoint) => endpoint.id}
            render={(endpoint) => (
              <Row
                endpoint={endpoint}
                health={health?.get(endpoint.id) ?? null}
                isStopped={stopped.has(endpoint.id)}
              />
            )}
          />
        </div>
      </ListStates>
      {canEdit && search.add && <AddWebhook onClose={() => set({ add: undefined })} />}
    </Page>
  );
}

interface RowProps {
  endpoint: Endpoint;
  health: Health | null;
  isStopped: boolean;
}

function Row({ endpoint, health, isStopped }: RowProps) {
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
      <span className="flex shrink-0 flex-col items-end">
        {isStopped && endpoint.is_active && endpoint.circuit.state === 'closed' ? (
          <Badge tone="danger">Rule stopped</Badge>
        ) : (
          <CircuitBadge endpoint={endpoint} />
        )}
        <NextProbe endpoint={endpoint} />
      </span>
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
