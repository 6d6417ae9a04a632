/** “On the last 7 days it would have sent 12 alerts”: bars, and the events behind each. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Bars } from '@/charts/bars';
import { plural } from '@/format/number';
import { cutMiddle } from '@/ui/copy';
import { Select } from '@/ui/field';
import { Card } from '@/ui/page';
import { InlineError, Skeleton } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { Moment } from '@/ui/time';
import { bucketsOf, SPANS, type Match } from './buckets';
import type { useBacktest } from './use-backtest';

interface PastProps {
  test: ReturnType<typeof useBacktest>;
  span: string;
  onSpan: (span: string) => void;
  isReady: boolean;
  /** The condition's own errors are shown under its column. */
  isErrorShown: boolean;
}

const LISTED = 50;

export function Past({ test, span, onSpan, isReady, isErrorShown }: PastProps) {
  const [chosen, setChosen] = useState<string>();
  const { label, bars } = SPANS[span] ?? { label: span, bars: 28 };
  const result = test.data?.result;
  const buckets =
    test.data && result
      ? bucketsOf(result.matches as Match[], test.data.from, test.data.to, bars)
      : [];
  const shown = buckets.find((bucket) => bucket.key === chosen);
  return (
    <Card
      title="On the past"
      aside={
        <Select
          aria-label="Span"
          className="h-8 w-auto"
          value={span}
          onChange={(event) => onSpan(event.target.value)}
        >
          {Object.entries(SPANS).map(([id, each]) => (
            <option key={id} value={id}>
              {each.label.replace(/^the l/, 'L')}
            </option>
          ))}
        </Select>
      }
    >
      {!isReady ? (
        <p className="text-muted">
          Choose a webhook, and what the rule would have sent is shown here.
        </p>
      ) : test.error ? (
        isErrorShown ? (
          <p className="text-muted">
            Mend the condition, and what the rule would have sent is shown here.
          </p>
        ) : (
          <InlineError error={test.error} />
        )
      ) : !result ? (
        <Skeleton rows={3} />
      ) : (
        <div
          className={test.isPlaceholderData || !test.isSettled ? 'opacity-60' : undefined}
          aria-busy={test.isFetching || !test.isSettled}
        >
          <p
            className="mb-4"
            role="status"
            data-backtest={test.isSettled && !test.isPlaceholderData ? result.total : undefined}
          >
            On {label} it would have sent{' '}
            <strong className="font-semibold">{plural(result.total, 'alert')}</strong>
            <span className="text-muted">, of {plural(result.scanned, 'event')} looked at.</span>
          </p>
          <Bars
            bars={buckets}
            label={`Alerts over ${label}`}
            chosen={chosen}
            onChoose={(bucket) => setChosen(bucket === chosen ? undefined : bucket)}
            from={new Date(test.data?.from ?? 0).toLocaleDateString()}
            to="now"
          />
          {result.truncated && (
            <p className="text-muted mt-2 text-[13px]">
              There is more than is shown: the first thousand alerts of a million events.
            </p>
          )}
          {result.condition_errors > 0 && (
            <p className="text-waiting mt-2 text-[13px]">
              On {plural(result.condition_errors, 'event')} the condition failed:{' '}
              <Foreign text={result.last_condition_error ?? ''} />
            </p>
          )}
          {shown && shown.matches.length > 0 && (
            <ul className="mt-4 divide-y border-t" aria-label="Events behind the bar">
              {shown.matches.slice(0, LISTED).map((match, i) => (
                <li key={`${match.event_id}-${i}`}>
                  <Link
                    to="/events/$id"
                    params={{ id: match.event_id }}
                    className="hover:bg-accent flex flex-wrap justify-between gap-3 px-1 py-2"
                  >
                    <span className="font-mono text-[13px]">{cutMiddle(match.event_id)}</span>
                    {match.group !== undefined && match.group !== null && (
                      <Foreign
                        text={Object.entries(match.group)
                          .map(([name, value]) => `${name} ${String(value)}`)
                          .join(', ')}
                      />
                    )}
                    <Moment at={match.at} />
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </Card>
  );
}
