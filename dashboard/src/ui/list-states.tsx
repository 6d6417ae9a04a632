/** What a list shows in place of its rows: that it loads, why it cannot, that there is nothing, or that nothing matches. */
import type { ReactNode } from 'react';
import { Button } from './button';
import { Empty, Failure, Skeleton } from './states';

interface ListStatesProps {
  isPending: boolean;
  error: unknown;
  onRetry: () => void;
  /** How many there are before the filters, and after. */
  all: number;
  shown: number;
  /** For a list that has nothing yet: what would be here, and the step to get it. */
  empty: ReactNode;
  /** For filters that let nothing through. */
  nothing: { title: string; why: ReactNode; onClear: () => void };
  children: ReactNode;
}

export function ListStates(props: ListStatesProps) {
  const { isPending, error, onRetry, all, shown, empty, nothing, children } = props;
  // What is there already is shown, also when a refresh of it failed: a banner tells that the host is away.
  if (error && all === 0) return <Failure error={error} onRetry={onRetry} />;
  if (isPending) return <Skeleton />;
  if (shown > 0) return children;
  if (all === 0) return empty;
  return (
    <Empty
      title={nothing.title}
      action={<Button onClick={nothing.onClear}>Clear the filters</Button>}
    >
      {nothing.why}
    </Empty>
  );
}
