/** Where events come from without being posted: which platforms are watched, how far behind, and what is wrong. */
import { useQuery } from '@tanstack/react-query';
import { Radar } from 'lucide-react';
import { sourcesQuery } from '@/api/operators';
import type { Source } from '@/api/types';
import { tookText } from '@/format/duration';
import { countText } from '@/format/number';
import { Id } from '@/ui/copy';
import { Facts, Page } from '@/ui/page';
import { Empty, Failure, Note, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import type { Tone } from '@/words/delivery';

export function SourcesPage() {
  const { data, error, refetch } = useQuery(sourcesQuery());
  const sources = data?.data ?? [];
  return (
    <Page
      title="Sources"
      icon={Radar}
      subtitle="Platforms that are watched, so that their runs become events without anybody posting them."
    >
      {error && !data ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : sources.length === 0 ? (
        <Empty title="Nothing is watched" icon={<Radar />}>
          Events come in as they are posted. Set ALERTS_EXOSPHERE_URL on the host, and the runs of
          an Exosphere become events by themselves.
        </Empty>
      ) : (
        <ul className="space-y-4">
          {sources.map((source) => (
            <SourceCard key={source.id} source={source} />
          ))}
        </ul>
      )}
    </Page>
  );
}

const STATES: Record<Source['state'], { label: string; tone: Tone }> = {
  starting: { label: 'Starting', tone: 'waiting' },
  watching: { label: 'Watching', tone: 'success' },
  failing: { label: 'Failing', tone: 'danger' },
  unwatched: { label: 'Nobody watches', tone: 'danger' },
};

function SourceCard({ source }: { source: Source }) {
  const { label, tone } = STATES[source.state];
  const { trouble } = source;
  return (
    <li className="bg-card space-y-4 rounded-lg border px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={tone}>{label}</Badge>
        <strong className="font-semibold">{source.kind}</strong>
        <Foreign text={source.url} className="text-muted" />
      </div>
      {trouble && (
        <Note tone="danger">
          <Foreign text={trouble.detail} />, since <Age at={trouble.since} />
        </Note>
      )}
      {source.remarks.map((remark) => (
        <Note key={remark} tone="waiting">
          <Foreign text={remark} />
        </Note>
      ))}
      <Facts
        facts={[
          [
            'Namespaces',
            source.namespaces.length === 0 ? (
              'none yet'
            ) : (
              <Foreign key="namespaces" text={source.namespaces.join(', ')} />
            ),
          ],
          ['Behind', source.behind_ms == null ? 'not asked yet' : tookText(source.behind_ms)],
          ['Runs under way', countText(source.open_runs)],
          ['Events to be taken in', countText(source.waiting_events)],
          [
            'Asked last',
            source.last_poll_at ? <Age key="asked" at={source.last_poll_at} /> : 'never',
          ],
          ['Watched by', source.host_id ? <Id key="host" id={source.host_id} /> : 'no host'],
        ]}
      />
    </li>
  );
}
