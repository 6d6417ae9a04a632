/** What runs in here, and may it? */
import { Link } from '@tanstack/react-router';
import { Puzzle } from 'lucide-react';
import { usePlugins } from '@/api/operators';
import { manifestOf, type Plugin } from '@/api/types';
import { bytesText, countText, percentText } from '@/format/number';
import { Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import type { Tone } from '@/words/delivery';
import { Meter } from './meter';
import { UploadPlugin } from './upload';

export function stateOf(plugin: Plugin): { label: string; tone: Tone } {
  if (plugin.circuit?.is_open) return { label: 'Left alone', tone: 'danger' };
  if (plugin.state === 'ready') return { label: 'Ready', tone: 'success' };
  if (plugin.state === 'compiling') return { label: 'Compiling', tone: 'flight' };
  if (plugin.state === 'refused') return { label: 'Refused', tone: 'danger' };
  return { label: plugin.state, tone: 'muted' };
}

export function PluginsPage() {
  const plugins = usePlugins();
  return (
    <Page
      title="Plugins"
      icon={Puzzle}
      subtitle="Condition languages and targets, each in its own sandbox."
      actions={
        <Offered role="platform" what="Uploading a plugin">
          <UploadPlugin />
        </Offered>
      }
    >
      {plugins.error ? (
        <Failure error={plugins.error} onRetry={() => void plugins.refetch()} />
      ) : plugins.isPending ? (
        <Skeleton />
      ) : plugins.items.length === 0 ? (
        <Empty title="No plugins" icon={<Puzzle />}>
          Not even the built-in ones are loaded: look into the host’s log.
        </Empty>
      ) : (
        <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
          {plugins.items.map((plugin) => (
            <PluginCard key={plugin.id} plugin={plugin} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function PluginCard({ plugin }: { plugin: Plugin }) {
  const { label, tone } = stateOf(plugin);
  const { stats, limits } = plugin;
  const memory = limits?.memory_bytes?.value;
  const deadline = limits?.deadline_ms?.value;
  return (
    <li className="bg-card relative rounded-lg border p-5 hover:border-line-strong">
      <div className="flex items-start justify-between gap-3">
        <Link
          to="/plugins/$id"
          params={{ id: plugin.id }}
          className="font-semibold after:absolute after:inset-0"
        >
          <Foreign text={plugin.id} />{' '}
          <span className="text-muted font-normal">{plugin.version}</span>
        </Link>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p className="text-muted stranger mt-1 line-clamp-2 min-h-10">
        {plugin.state === 'refused' ? (
          <span className="text-danger">
            <Foreign text={plugin.reason ?? ''} />
          </span>
        ) : (
          <Foreign text={manifestOf(plugin).summary ?? ''} />
        )}
      </p>
      {stats && (
        <div className="mt-4 space-y-2.5">
          {memory !== undefined && (
            <Meter
              label="Memory, at most"
              value={stats.max_memory_bytes}
              limit={memory}
              text={bytesText}
            />
          )}
          {deadline !== undefined && (
            <Meter
              label="Time, at most"
              value={stats.max_ms}
              limit={deadline}
              text={(ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`}
            />
          )}
          <p className="text-muted numbers text-[13px]">
            {stats.calls === 1 ? '1 call' : `${countText(stats.calls)} calls`},{' '}
            {stats.faults === 0
              ? 'no faults'
              : `${countText(stats.faults)} faults (${percentText(stats.faults / Math.max(1, stats.calls))})`}
          </p>
        </div>
      )}
    </li>
  );
}
