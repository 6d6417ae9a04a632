/** What was lost, why, and how to send it again. */
import { getRouteApi, Link } from '@tanstack/react-router';
import { MailCheck, MailX, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '@/api/session';
import type { Delivery } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { cutMiddle } from '@/ui/copy';
import { Dialog } from '@/ui/dialog';
import { Page } from '@/ui/page';
import { Picker } from '@/ui/picker';
import { Empty, Failure, InlineError, Skeleton } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import { groupDeadLetters, type DeadGroup } from '@/words/delivery';
import { DeliveryRow } from '../deliveries/row';
import { SpanFilter } from '../span-filter';
import { useDeadLetters } from './use-dead-letters';
import { useRedrive } from './use-redrive';

const route = getRouteApi('/dead-letters');
const LISTED = 20;

export function DeadLettersPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const canEdit = useMay('editor');
  const endpoints = useEndpoints();
  const [asked, setAsked] = useState<{ ids: string[]; what: string } | null>(null);
  const filters = {
    ...(search.rule ? { alert_rule_id: search.rule } : {}),
    ...(search.endpoint ? { webhook_endpoint_id: search.endpoint } : {}),
    ...(search.from ? { from: search.from } : {}),
  };
  const dead = useDeadLetters(filters);
  const groups = groupDeadLetters(dead.letters);
  const names = new Map(endpoints.items.map((endpoint) => [endpoint.id, endpoint.name]));
  const isFiltered = Object.keys(filters).length > 0;
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const count = `${plural(dead.letters.length, 'dead letter')}${dead.hasNextPage ? ' so far' : ''}`;
  return (
    <Page
      title="Dead letters"
      icon={MailX}
      subtitle="Alerts that used up their retries or were rejected."
      actions={
        canEdit &&
        groups.length > 0 && (
          <Button
            look="primary"
            disabled={dead.isCounting}
            onClick={() =>
              setAsked({
                ids: dead.letters.map((letter) => letter.id),
                what: isFiltered ? 'all that match' : 'all',
              })
            }
          >
            <RotateCcw /> {dead.isCounting ? 'Counting…' : `Resend ${dead.letters.length}`}
          </Button>
        )
      }
    >
      <div className="flex flex-wrap items-center gap-2">
        <Picker
          aria-label="Webhook"
          className="w-auto max-w-60"
          none="Any webhook"
          items={endpoints.items}
          value={search.endpoint ?? ''}
          onChange={(endpoint) => set({ endpoint: endpoint || undefined })}
        />
        <SpanFilter from={search.from} onChange={(from) => set({ from })} />
        {dead.letters.length > 0 && (
          <span role="status" className="text-muted numbers ml-auto text-[13px]">
            {count}
          </span>
        )}
      </div>
      {dead.error && dead.letters.length === 0 ? (
        <Failure error={dead.error} onRetry={() => void dead.refetch()} />
      ) : dead.isPending ? (
        <Skeleton />
      ) : groups.length === 0 ? (
        isFiltered ? (
          <Empty
            title="No dead letter matches"
            action={
              <Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>
            }
          />
        ) : (
          <Empty title="Nothing was lost" icon={<MailCheck />}>
            An alert that cannot be delivered, after all its retries, is kept here. You can send it
            again once its webhook works.
          </Empty>
        )
      ) : (
        <ul className="space-y-4">
          {groups.map((group) => (
            <Group
              key={`${group.endpointId}\n${group.reason}`}
              group={group}
              letters={dead.letters}
              endpoint={names.get(group.endpointId)}
              onResend={
                canEdit
                  ? () =>
                      setAsked({
                        ids: group.ids,
                        what: `those to ${names.get(group.endpointId) ?? 'this webhook'}`,
                      })
                  : undefined
              }
            />
          ))}
        </ul>
      )}
      {dead.hasNextPage && !dead.isCounting && (
        <Button onClick={() => void dead.fetchNextPage()} isBusy={dead.isFetchingNextPage}>
          Count more
        </Button>
      )}
      {asked && <Redrive ids={asked.ids} what={asked.what} onClose={() => setAsked(null)} />}
    </Page>
  );
}

interface GroupProps {
  group: DeadGroup;
  letters: Delivery[];
  endpoint: string | undefined;
  onResend: (() => void) | undefined;
}

function Group({ group, letters, endpoint, onResend }: GroupProps) {
  const [isOpen, setOpen] = useState(false);
  const ids = new Set(isOpen ? group.ids : []);
  const own = letters.filter((letter) => ids.has(letter.id)).slice(0, LISTED);
  return (
    <li className="bg-card overflow-hidden rounded-lg border">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-3 px-5 py-4">
        <div className="min-w-0 grow">
          <p>
            <strong className="numbers font-semibold">{group.ids.length}</strong> to{' '}
            <Link
              to="/webhooks/$id"
              params={{ id: group.endpointId }}
              className="font-semibold hover:underline"
            >
              <Foreign text={endpoint ?? cutMiddle(group.endpointId)} />
            </Link>
            : <Foreign text={group.reason} />
          </p>
          <p className="text-muted text-[13px]">
            {group.ids.length === 1 ? (
              <Age at={group.newest} />
            ) : (
              <>
                from <Age at={group.oldest} /> to <Age at={group.newest} />
              </>
            )}
          </p>
        </div>
        <Button size="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'}
        </Button>
        {onResend && (
          <Button size="small" onClick={onResend}>
            <RotateCcw /> Resend {group.ids.length}
          </Button>
        )}
      </div>
      {isOpen && (
        <div className="border-t">
          {own.map((letter) => (
            <DeliveryRow key={letter.id} delivery={letter} endpointName={endpoint} />
          ))}
          {group.ids.length > LISTED && (
            <p className="text-muted px-5 py-2.5 text-[13px]">
              and {group.ids.length - LISTED} more
            </p>
          )}
        </div>
      )}
    </li>
  );
}

function Redrive({ ids, what, onClose }: { ids: string[]; what: string; onClose: () => void }) {
  const { progress, start, stop } = useRedrive();
  const isRunning = progress?.state === 'running';
  return (
    <Dialog
      title={`Resend ${plural(ids.length, 'alert')}`}
      isOpen
      onClose={() => !isRunning && onClose()}
    >
      {!progress ? (
        <>
          <p>
            Sends {what} again: {ids.length.toLocaleString('en-US')} new deliveries, each pointing
            to the old one. A receiver that took one after all gets it twice.
          </p>
          <div className="mt-6 flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" onClick={() => void start(ids)}>
              Resend {ids.length}
            </Button>
          </div>
        </>
      ) : (
        <div className="space-y-4">
          <progress
            className="h-2 w-full"
            aria-label="Sent again"
            value={progress.done}
            max={progress.total}
          />
          <p role="status">
            {progress.state === 'running' && `${progress.done} of ${progress.total}…`}
            {progress.state === 'done' && `Sent ${progress.resent} of ${progress.total} again.`}
            {progress.state === 'stopped' &&
              `Stopped: ${progress.resent} were sent again, ${progress.total - progress.done} were not.`}
            {progress.state === 'failed' &&
              `Not all: ${progress.resent} were sent again, ${progress.total - progress.done} were not.`}
            {progress.state === 'done' &&
              progress.resent < progress.total &&
              ' The others were sent again already.'}
          </p>
          <InlineError error={progress.error} />
          <div className="flex justify-end gap-2">
            {isRunning ? (
              <Button onClick={stop}>Stop</Button>
            ) : (
              <Button asChild>
                <Link to="/deliveries" search={{}}>
                  Watch them
                </Link>
              </Button>
            )}
            {!isRunning && (
              <Button look="primary" onClick={onClose}>
                Done
              </Button>
            )}
          </div>
        </div>
      )}
    </Dialog>
  );
}
