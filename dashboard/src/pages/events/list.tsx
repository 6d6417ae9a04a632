/** What came in, and whether any rule fired. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Inbox, Send } from 'lucide-react';
import { useMemo } from 'react';
import { fetchEvents } from '@/api/events';
import { key } from '@/api/keys';
import { eventOf, type StoredEvent } from '@/api/types';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import { SpanFilter } from '../span-filter';
import { PostEvent } from './post';

const route = getRouteApi('/events');
const ROW_HEIGHT = 56;

export function EventsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const isPosting = search.post !== undefined;
  const setPosting = (isOpen: boolean) => set({ post: isOpen ? '1' : undefined });
  const filters = {
    ...(search.type ? { type: search.type } : {}),
    ...(search.from ? { from: search.from } : {}),
  };
  const events = useInfiniteQuery({
    queryKey: key('events', 'all', filters),
    queryFn: ({ pageParam }) => fetchEvents(filters, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    structuralSharing: false,
  });
  const items = useMemo(() => events.data?.pages.flatMap((page) => page.data) ?? [], [events.data]);
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const isFiltered = Object.keys(filters).length > 0;
  const post = (
    <Offered role="editor" what="Posting a sample">
      <Button onClick={() => setPosting(true)}>
        <Send /> Post a sample
      </Button>
    </Offered>
  );
  return (
    <Page
      title="Events"
      icon={Inbox}
      subtitle="What came in, and what each rule made of it."
      actions={post}
    >
      <div className="flex flex-wrap items-center gap-2">
        <SearchBox
          label="Type of event"
          value={search.type ?? ''}
          onChange={(type) => set({ type: type || undefined })}
        />
        <SpanFilter from={search.from} onChange={(from) => set({ from })} />
      </div>
      <ListStates
        isPending={events.isPending}
        error={events.error}
        onRetry={() => void events.refetch()}
        all={isFiltered && !events.error ? 1 : items.length}
        shown={items.length}
        empty={
          <Empty title="No events yet" icon={<Inbox />} action={post}>
            The platform posts an event when a workflow starts, fails or succeeds. Post a sample to
            see what your rules make of it.
          </Empty>
        }
        nothing={{
          title: 'No event matches',
          why: 'A type is written as it was posted, like workflow.failed.',
          onClear: () => void navigate({ search: {} }),
        }}
      >
        <div className="bg-card overflow-hidden rounded-lg border">
          <Rows
            items={items}
            rowHeight={ROW_HEIGHT}
            label="Events"
            isStateless
            keyOf={(stored) => stored.id}
            onEnd={() => events.hasNextPage && !events.isFetching && void events.fetchNextPage()}
            render={(stored) => <Row stored={stored} />}
          />
        </div>
        <p className="text-muted numbers text-center text-[13px]" role="status">
          {plural(items.length, 'event')}
          {events.hasNextPage ? ' shown; scroll for more' : ', all there are'}
        </p>
      </ListStates>
      {isPosting && <PostEvent onClose={() => setPosting(false)} />}
    </Page>
  );
}

function Row({ stored }: { stored: StoredEvent }) {
  const event = eventOf(stored);
  const fired = stored.rules.filter((rule) => rule.fired).length;
  const hasError = stored.rules.some((rule) => rule.reason === 'condition_error');
  return (
    <Link
      to="/events/$id"
      params={{ id: stored.id }}
      preload={false}
      className="hover:bg-accent flex h-full items-center gap-4 border-b px-4 outline-offset-[-2px] sm:px-5"
    >
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">
          <Foreign text={event.type} />
        </span>
        <span className="text-muted block truncate text-[13px]">
          <Foreign text={event.subject ?? event.id} />
        </span>
      </span>
      {hasError ? (
        <Badge tone="waiting">A condition failed</Badge>
      ) : fired > 0 ? (
        <Badge tone="success">{plural(fired, 'rule')} fired</Badge>
      ) : (
        <span className="text-muted text-[13px] max-sm:hidden">
          {stored.rules.length === 0 ? 'no rule looked' : 'none fired'}
        </span>
      )}
      <span className="text-muted w-20 text-right text-[13px]">
        <Age at={stored.received_at} />
      </span>
    </Link>
  );
}
