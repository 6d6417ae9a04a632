/** Who changed this? Sentences, with what changed folded out, and whether the chain is whole. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChevronRight, ScrollText } from 'lucide-react';
import { useMemo } from 'react';
import { key } from '@/api/keys';
import { auditVerificationQuery, fetchAudit, useApiKeys } from '@/api/operators';
import { messageOf } from '@/api/problem';
import { useMay } from '@/api/session';
import type { AuditEntry } from '@/api/types';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { cutMiddle } from '@/ui/copy';
import { Page } from '@/ui/page';
import { SearchBox } from '@/ui/search-box';
import { Empty, Failure, Note, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign, StrangerText } from '@/ui/stranger-text';
import { Age, Moment } from '@/ui/time';
import { auditSentence, changesOf, untoldFields } from '@/words/audit';
import { Diff } from './diff';

const route = getRouteApi('/audit');

export function AuditPage() {
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const audit = useInfiniteQuery({
    queryKey: key('audit', 'all'),
    queryFn: ({ pageParam }) => fetchAudit(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const entries = useMemo(() => audit.data?.pages.flatMap((page) => page.data) ?? [], [audit.data]);
  const needle = q?.toLowerCase();
  const shown = entries.filter(
    (entry) =>
      !needle ||
      [entry.actor, entry.action, entry.resource, JSON.stringify(entry.detail)].some((text) =>
        text.toLowerCase().includes(needle),
      ),
  );
  return (
    <Page
      title="Audit"
      icon={ScrollText}
      subtitle="What was changed, and by whom. Each entry seals the ones before it."
    >
      <Chain />
      {audit.error && entries.length === 0 ? (
        <Failure error={audit.error} onRetry={() => void audit.refetch()} />
      ) : audit.isPending ? (
        <Skeleton />
      ) : entries.length === 0 ? (
        <Empty title="Nothing was changed yet" icon={<ScrollText />}>
          Whatever people and keys change in this namespace is written down here, and cannot be
          taken out unseen.
        </Empty>
      ) : (
        <>
          <SearchBox
            label="Search what is loaded"
            value={q ?? ''}
            onChange={(text) =>
              void navigate({
                search: (now) => ({ ...now, q: text || undefined }) as typeof now,
                replace: true,
              })
            }
          />
          {shown.length === 0 ? (
            <Empty
              title="No entry matches"
              action={
                <Button onClick={() => void navigate({ search: {} })}>Clear the search</Button>
              }
            >
              Of the {plural(entries.length, 'entry', 'entries')} that are loaded. Older ones may
              match.
            </Empty>
          ) : (
            <ul className="bg-card divide-y rounded-lg border">
              {shown.map((entry) => (
                <Entry key={entry.seq} entry={entry} />
              ))}
            </ul>
          )}
          {audit.hasNextPage && (
            <Button onClick={() => void audit.fetchNextPage()} isBusy={audit.isFetchingNextPage}>
              Older entries
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function Chain() {
  const { data, error, isFetching, refetch } = useQuery({
    ...auditVerificationQuery(),
    retry: false,
  });
  if (error) {
    return (
      <Note tone="waiting">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <span>Whether the chain is whole could not be checked: {messageOf(error)}</span>
          <Button size="small" onClick={() => void refetch()} isBusy={isFetching}>
            Check again
          </Button>
        </div>
      </Note>
    );
  }
  if (!data) return <p className="text-muted">Checking the chain…</p>;
  return data.intact ? (
    <p>
      <Badge tone="success">The chain is whole:</Badge>{' '}
      {plural(data.entries ?? 0, 'entry', 'entries')}, each as it was written.
    </p>
  ) : (
    <Note tone="danger">
      <Badge tone="danger">The chain is broken at entry {data.broken_at}</Badge>
      <p className="mt-1">
        That entry was altered or taken out after it was written. Keep the database as it is and
        find out who could write to it.
      </p>
    </Note>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const changes = changesOf(entry);
  const untold = untoldFields(entry);
  const hasDetail = Object.keys(entry.detail ?? {}).length > 0;
  return (
    <li className="px-5 py-3">
      <details className="group">
        <summary className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
          <span className="min-w-0">
            <ChevronRight
              className="text-muted mr-1.5 inline size-4 transition-transform group-open:rotate-90"
              aria-hidden
            />
            <strong className="font-medium">
              <Actor id={entry.actor} />
            </strong>{' '}
            <Foreign text={auditSentence(entry)} />
          </span>
          <span className="text-muted text-[13px]">
            <Age at={entry.at} />
          </span>
        </summary>
        <div className="mt-3 space-y-3">
          <p className="text-muted flex flex-wrap gap-x-4 text-[13px]">
            <Moment at={entry.at} /> <Resource id={entry.resource} /> <span>entry {entry.seq}</span>{' '}
            <span className="font-mono" title={entry.hash}>
              {entry.hash.slice(0, 12)}…
            </span>
          </p>
          {changes.length > 0 ? (
            <Diff changes={changes} />
          ) : (
            hasDetail &&
            untold.length === 0 && (
              <StrangerText text={JSON.stringify(entry.detail)} label="What was recorded" />
            )
          )}
          {untold.length > 0 && (
            <p className="text-muted text-[13px]">
              Also changed, without its value in the log: {untold.join(', ')}.
            </p>
          )}
        </div>
      </details>
    </li>
  );
}

function Actor({ id }: { id: string }) {
  return useMay('admin') && id.startsWith('key_') ? (
    <KeyName id={id} />
  ) : (
    <Foreign text={id.startsWith('key_') ? cutMiddle(id) : id} />
  );
}

function KeyName({ id }: { id: string }) {
  const { items } = useApiKeys();
  return <Foreign text={items.find((each) => each.id === id)?.name ?? cutMiddle(id)} />;
}

function Resource({ id }: { id: string }) {
  const [prefix] = id.split('_');
  if (prefix === 'wh')
    return (
      <Link to="/webhooks/$id" params={{ id }} className="text-link hover:underline">
        Open the webhook
      </Link>
    );
  if (prefix === 'rule')
    return (
      <Link to="/rules/$id" params={{ id }} className="text-link hover:underline">
        Open the rule
      </Link>
    );
  if (prefix === 'dlv')
    return (
      <Link to="/deliveries/$id" params={{ id }} className="text-link hover:underline">
        Open the delivery
      </Link>
    );
  return <Foreign text={id} className="font-mono" />;
}
