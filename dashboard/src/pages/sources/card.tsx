/** One source: how it goes, and what is wrong with it. */
import type { Source } from '@/api/types';
import { tookText } from '@/format/duration';
import { countText } from '@/format/number';
import { Button } from '@/ui/button';
import { CopyButton, Id } from '@/ui/copy';
import { Facts } from '@/ui/page';
import { Note } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import type { Tone } from '@/words/delivery';

const STATES: Record<Source['state'], { label: string; tone: Tone }> = {
  starting: { label: 'Starting', tone: 'waiting' },
  watching: { label: 'Watching', tone: 'success' },
  failing: { label: 'Failing', tone: 'danger' },
  unwatched: { label: 'Nobody watches', tone: 'danger' },
  waiting: { label: 'Waiting for its first request', tone: 'waiting' },
  receiving: { label: 'Receiving', tone: 'success' },
};

interface CardProps {
  source: Source;
  /** Only where it may be deleted. */
  onDelete?: (() => void) | undefined;
}

export function SourceCard({ source, onDelete }: CardProps) {
  const { label, tone } = STATES[source.state];
  const { trouble } = source;
  return (
    <li className="bg-card space-y-4 rounded-lg border px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={tone}>{label}</Badge>
        <strong className="font-semibold">
          <Foreign text={source.name ?? source.kind} />
        </strong>
        <Foreign text={source.url} className="text-muted" />
        {source.name && <CopyButton text={source.url} label="Copy address" />}
        {onDelete && (
          <Button size="small" look="danger" className="ml-auto" onClick={onDelete}>
            Delete
          </Button>
        )}
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
      {source.name ? <WebhookFacts source={source} /> : <WatchFacts source={source} />}
    </li>
  );
}

function WebhookFacts({ source }: { source: Source }) {
  return (
    <Facts
      facts={[
        ['Kind', source.kind],
        [
          'Last request',
          source.last_poll_at ? <Age key="last" at={source.last_poll_at} /> : 'none yet',
        ],
        [
          'Last good one',
          source.last_success_at ? <Age key="good" at={source.last_success_at} /> : 'none yet',
        ],
        ['Id', <Id key="id" id={source.id} />],
      ]}
    />
  );
}

function WatchFacts({ source }: { source: Source }) {
  return (
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
  );
}
