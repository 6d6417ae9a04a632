/** What was lost, why, and how to send it again. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { MailCheck, MailX, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { countsQuery } from '@/api/deliveries';
import { useMay } from '@/api/session';
import type { Delivery } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { boundedText, plural } from '@/format/number';
import { Button } from '@/ui/button';
import { FilterSelect, Segments } from '@/ui/choice';
import { cutMiddle } from '@/ui/copy';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Empty } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import { groupDeadLetters, type DeadGroup } from '@/words/delivery';
import { DeliveryRow } from '../deliveries/row';
import { SpanFilter } from '../span-filter';
import { Redrive, type Asked } from './redrive';
import { useDeadLetters } from './use-dead-letters';

const route = getRouteApi('/dead-letters');
const LISTED = 20;

export function DeadLettersPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const canEdit = useMay('editor');
  const endpoints = useEndpoints();
  const [asked, setAsked] = useState<Asked | null>(null);
  const filters = {
    ...(search.rule ? { alert_rule_id: search.rule } : {}),
    ...(search.endpoint ? { webhook_endpoint_id: search.endpoint } : {}),
    ...(search.from ? { from: search.from } : {}),
    ...(search.to ? { to: search.to } : {}),
  };
  const isSent = search.sent !== undefined;
  const dead = useDeadLetters({ ...filters, redriven: isSent });
  const counts = useQuery(countsQuery(filters)).data;
  const groups = groupDeadLetters(dead.letters);
  const names = new Map(endpoints.items.map((endpoint) => [endpoint.id, endpoint.name]));
  const isFiltered = Object.keys(filters).length > 0 || isSent;
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const total = counts && boundedText(counts.to_redrive, counts.most_counted);
  const ask = (letters: Delivery[], what: string) =>
    setAsked({
      ids: letters.map((letter) => letter.id),
      to: new Set(letters.map((letter) => letter.webhook_endpoint_id)),
      what,
      total,
    });
  const canResend = canEdit && !isSent;
  return (
    <Page
      title="Dead letters"
      icon={MailX}
      subtitle="Alerts that used up their retries or were rejected."
      actions={
        groups.length > 0 &&
        !isSent && (
          <Offered role="editor" what="Sending them again">
            <Button
              look="primary"
              disabled={dead.isCounting}
              onClick={() =>
                ask(dead.letters, Object.keys(filters).length > 0 ? 'all that match' : 'all')
              }
            >
              <RotateCcw /> {dead.isCounting ? 'Counting…' : `Resend ${dead.letters.length}`}
            </Button>
          </Offered>
        )
      }
    >
      <div className="flex flex-wrap items-center gap-2">
        <Segments
          label="Which"
          value={search.sent}
          options={[
            [undefined, 'Not sent again', total],
            ['1', 'Sent again'],
          ]}
          onChange={(sent) => set({ sent })}
        />
        <FilterSelect
          label="Webhook"
          any="Any webhook"
          value={search.endpoint}
          options={endpoints.items.map((endpoint) => [endpoint.id, endpoint.name])}
          onChange={(endpoint) => set({ endpoint })}
        />
        <SpanFilter from={search.from} onChange={(from) => set({ from, to: undefined })} />
        {search.rule && (
          <Button size="small" onClick={() => set({ rule: undefined })}>
            Of one rule ✕
          </Button>
        )}
        {dead.letters.length > 0 && (
          <span role="status" className="text-muted numbers ml-auto text-[13px]">
            {plural(dead.letters.length, 'dead letter')}
            {dead.hasNextPage ? ' so far' : ''}
          </span>
        )}
      </div>
      <ListStates
        isPending={dead.isPending}
        error={dead.error}
        onRetry={() => void dead.refetch()}
        all={isFiltered && !dead.error ? 1 : dead.letters.length}
        shown={groups.length}
        empty={
          <Empty title="Nothing is lost" icon={<MailCheck />}>
            An alert that cannot be delivered, after all its retries, is kept here. You can send it
            again once its webhook works.
          </Empty>
        }
        nothing={{
          title: 'No dead letter matches',
          why: isSent
            ? 'None of these was sent again.'
            : 'There may be others, of another webhook or time, or sent again already.',
          onClear: () => void navigate({ search: {} }),
        }}
      >
        <ul className="space-y-4">
          {groups.map((group) => (
            <Group
              key={`${group.endpointId}\n${group.reason}`}
              group={group}
              letters={dead.letters}
              endpoint={names.get(group.endpointId)}
              onResend={
                canResend
                  ? () =>
                      ask(
                        lettersOf(group, dead.letters),
                        `those to ${names.get(group.endpointId) ?? 'this webhook'}`,
                      )
                  : undefined
              }
            />
          ))}
        </ul>
      </ListStates>
      {dead.hasNextPage && !dead.isCounting && (
        <Button onClick={() => void dead.fetchNextPage()} isBusy={dead.isFetchingNextPage}>
          Count more
        </Button>
      )}
      {asked && <Redrive {...asked} onClose={() => setAsked(null)} />}
    </Page>
  );
}

function lettersOf(group: DeadGroup, letters: Delivery[]) {
  const ids = new Set(group.ids);
  return letters.filter((letter) => ids.has(letter.id));
}

interface GroupProps {
  group: DeadGroup;
  letters: Delivery[];
  endpoint: string | undefined;
  onResend: (() => void) | undefined;
}

function Group({ group, letters, endpoint, onResend }: GroupProps) {
  const [isOpen, setOpen] = useState(false);
  const own = isOpen ? lettersOf(group, letters).slice(0, LISTED) : [];
  return (
    <li className="bg-card overflow-hidden rounded-lg border">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-3 px-5 py-4">
        <div className="min-w-0 grow basis-64">
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
        <span className="ml-auto flex gap-2">
          <Button size="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Hide' : 'Show'}
          </Button>
          {onResend && (
            <Button size="small" onClick={onResend}>
              <RotateCcw /> Resend {group.ids.length}
            </Button>
          )}
        </span>
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
