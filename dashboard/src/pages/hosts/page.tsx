/** Who works on this database, what each holds, and what does not work at the one that answers. */
import { useQuery } from '@tanstack/react-query';
import { Server } from 'lucide-react';
import { hostsQuery } from '@/api/operators';
import type { Host } from '@/api/types';
import { countText } from '@/format/number';
import { Id } from '@/ui/copy';
import { Page } from '@/ui/page';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age, Countdown } from '@/ui/time';
import type { Tone } from '@/words/delivery';

export function HostsPage() {
  const { data, error, refetch } = useQuery(hostsQuery());
  const hosts = data?.data ?? [];
  return (
    <Page
      title="Hosts"
      icon={Server}
      subtitle="The processes that work on this database. What one holds is taken over when its lease runs out."
    >
      {error && !data ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : hosts.length === 0 ? (
        <Empty title="No host is known" icon={<Server />}>
          The one that answers is on its way to say that it lives. Look again in a few seconds.
        </Empty>
      ) : (
        <ul className="space-y-4">
          {hosts.map((host) => (
            <HostCard key={host.id} host={host} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function stateOf(host: Host): { label: string; tone: Tone } {
  if (!host.is_alive) return { label: 'Gone', tone: 'danger' };
  if (host.own && host.own.troubles.length > 0) return { label: 'In trouble', tone: 'danger' };
  return host.own ? { label: 'Ready', tone: 'success' } : { label: 'Alive', tone: 'success' };
}

function HostCard({ host }: { host: Host }) {
  const { label, tone } = stateOf(host);
  return (
    <li className="bg-card rounded-lg border px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        <span className="min-w-0 grow basis-56">
          <span className="flex flex-wrap items-center gap-3">
            <Badge tone={tone}>{label}</Badge>
            <Id id={host.id} />
          </span>
          <span className="text-muted mt-1 block text-[13px]">
            {host.version ? `release ${host.version}` : 'an older release'}, started{' '}
            <Age at={host.started_at} />
            {host.own && ' · answers this page'}
          </span>
        </span>
        <span className="text-[13px]">
          <strong className="numbers block text-base font-semibold">
            {countText(host.deliveries_held)}
          </strong>
          <span className="text-muted">in hand</span>
        </span>
        <span className="w-40 text-[13px]">
          {host.is_alive ? (
            <>
              <span className="text-muted block">Lease, renewed by itself</span>
              ends <Countdown until={host.lease_until} />
            </>
          ) : (
            <>
              <span className="text-muted block">Lease</span>
              ended <Age at={host.lease_until} />
            </>
          )}
        </span>
      </div>
      {host.own && <Own own={host.own} />}
    </li>
  );
}

/** What the host says of itself, as it does to a load balancer. */
function Own({ own }: { own: NonNullable<Host['own']> }) {
  if (own.troubles.length === 0 && own.remarks.length === 0) return null;
  return (
    <ul className="mt-4 space-y-1.5 border-t pt-3">
      {own.troubles.map(({ part, detail }) => (
        <li key={`${part}${detail}`} className="flex gap-2">
          <Badge tone="danger">{part}</Badge> <Foreign text={detail} />
        </li>
      ))}
      {own.remarks.map((remark) => (
        <li key={remark} className="flex gap-2">
          <Badge tone="waiting">look at</Badge> <Foreign text={remark} />
        </li>
      ))}
    </ul>
  );
}
