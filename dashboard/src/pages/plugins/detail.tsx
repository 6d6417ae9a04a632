import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { key } from '@/api/keys';
import { deletePlugin, pluginQuery } from '@/api/operators';
import { useMay } from '@/api/session';
import { manifestOf, type Plugin } from '@/api/types';
import { tookText } from '@/format/duration';
import { bytesText, countText } from '@/format/number';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Card, Facts, Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Failure, Note, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign, StrangerText } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import { toast } from '@/ui/toast';
import { GrantsCard } from './grants';
import { LimitsCard } from './limits';
import { stateOf } from './list';

const route = getRouteApi('/plugins/$id');
const POLL_MS = 2_000;

export function PluginPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...pluginQuery(id),
    refetchInterval: ({ state }) => (state.data?.state === 'compiling' ? POLL_MS : false),
  });
  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  return data ? <Detail plugin={data} /> : <Skeleton />;
}

function Detail({ plugin }: { plugin: Plugin }) {
  const isOperator = useMay('platform');
  const { label, tone } = stateOf(plugin);
  const { stats, circuit } = plugin;
  const hosts = manifestOf(plugin).hosts ?? [];
  return (
    <Page
      title={plugin.id}
      above={
        <Link to="/plugins" className="hover:underline">
          Plugins
        </Link>
      }
      subtitle={
        <span className="flex flex-wrap items-center gap-3">
          <Badge tone={tone}>{label}</Badge> {plugin.kind} {plugin.version}
        </span>
      }
      actions={
        <Offered role="platform" what="Changing a plugin">
          <RemovePlugin id={plugin.id} />
        </Offered>
      }
    >
      {plugin.reason && (
        <Note tone="danger">
          <strong>Its newest file was refused.</strong> <Foreign text={plugin.reason} />{' '}
          {stats ? 'The file before it goes on.' : 'Nothing of it is in use.'}
        </Note>
      )}
      {circuit?.is_open && (
        <Note tone="danger">
          It failed too often in a row and is left alone
          {circuit.since && (
            <>
              {' '}
              since <Age at={circuit.since} />
            </>
          )}
          : <Foreign text={circuit.reason ?? ''} />
        </Note>
      )}
      <div className="grid gap-6 xl:grid-cols-2">
        <Card title="About it">
          <Facts
            facts={[
              [
                'Says of itself',
                <Foreign key="s" text={manifestOf(plugin).summary ?? 'nothing'} />,
              ],
              [
                'Hosts',
                hosts.length > 0 ? (
                  <Foreign key="h" text={hosts.join(', ')} />
                ) : (
                  'that of the webhook’s own URL'
                ),
              ],
              [
                'Digest',
                <code key="d" className="font-mono text-[13px]">
                  {plugin.digest}
                </code>,
              ],
            ]}
          />
        </Card>
        {stats && (
          <Card title="Since it was loaded">
            <Facts
              facts={[
                ['Calls', countText(stats.calls)],
                ['In the mean', tookText(stats.mean_ms)],
                ['Longest', tookText(stats.max_ms)],
                ['Most memory', bytesText(stats.max_memory_bytes)],
                ['Not called', countText(stats.refused)],
                [
                  'Faults',
                  stats.faults === 0
                    ? 'none'
                    : Object.entries(stats.faults_by_name)
                        .map(([name, count]) => `${name.replaceAll('_', ' ')} ${count}`)
                        .join(', '),
                ],
              ]}
            />
          </Card>
        )}
        {plugin.limits && <LimitsCard plugin={plugin} canEdit={isOperator} />}
        {isOperator && <GrantsCard id={plugin.id} />}
      </div>
      {plugin.manifest && (
        <Card title="Manifest">
          <StrangerText text={JSON.stringify(plugin.manifest)} label="The manifest" />
        </Card>
      )}
    </Page>
  );
}

function RemovePlugin({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const remove = useMutation({
    mutationFn: () => deletePlugin(id, false),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: key('plugins') });
      toast.done(`${id} is removed`);
      void navigate({ to: '/plugins' });
    },
    onError: (error) => {
      toast.failed(error);
      setOpen(false);
    },
  });
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        <Trash2 /> Remove
      </Button>
      <Confirm
        title={`Remove ${id}?`}
        consequence="Takes the uploaded plugin away. The host refuses while rules or webhooks use it."
        action="Remove plugin"
        isOpen={isOpen}
        isBusy={remove.isPending}
        onClose={() => setOpen(false)}
        onConfirm={() => remove.mutate()}
      />
    </>
  );
}
