/** Would it have fired on a recent event, and if not, what decided? */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { newestEventsQuery } from '@/api/events';
import { key } from '@/api/keys';
import { backtest } from '@/api/rules';
import { eventOf, type NewRule, type StoredEvent } from '@/api/types';
import { nextMillisecond } from '@/format/time';
import { Select } from '@/ui/field';
import { Card } from '@/ui/page';
import { InlineError } from '@/ui/states';
import { Shape } from '@/ui/status';
import { Foreign, visible } from '@/ui/stranger-text';
import { explainCondition } from '@/words/explain';
import { readCondition } from '@/words/rule';

export function WhyNot({ rule }: { rule: NewRule }) {
  const isPattern = rule.event_type.includes('*');
  const events = useQuery(newestEventsQuery(isPattern ? {} : { type: rule.event_type }, 20));
  const [chosen, setChosen] = useState<string>();
  const candidates = events.data?.data ?? [];
  const stored = candidates.find((each) => each.id === chosen) ?? candidates[0];
  return (
    <Card
      title="On a recent event"
      aside={
        candidates.length > 1 && (
          <Select
            aria-label="Event"
            className="h-8 w-auto max-w-72"
            value={stored?.id}
            onChange={(event) => setChosen(event.target.value)}
          >
            {candidates.map((each) => (
              <option key={each.id} value={each.id}>
                {titleOf(each)}
              </option>
            ))}
          </Select>
        )
      }
    >
      {stored ? (
        <Answer rule={rule} stored={stored} />
      ) : (
        <p className="text-muted">
          {events.isPending ? (
            'Loading…'
          ) : (
            <>
              No event of the type <Foreign text={rule.event_type} /> has come in yet.
            </>
          )}
        </p>
      )}
    </Card>
  );
}

function titleOf(stored: StoredEvent): string {
  const event = eventOf(stored);
  const data = (event.data ?? {}) as { graph_name?: unknown };
  const name = typeof data.graph_name === 'string' ? data.graph_name : event.id;
  return visible(`${name.slice(0, 60)} · ${new Date(stored.received_at).toLocaleTimeString()}`);
}

function Answer({ rule, stored }: { rule: NewRule; stored: StoredEvent }) {
  // What the rule counts or watches needs more than one event; the condition alone can be asked about one.
  const alone: NewRule = { ...rule, trigger: { type: 'event' }, event_type: eventOf(stored).type };
  const { data, error } = useQuery({
    queryKey: key('why-not', alone, stored.id),
    queryFn: ({ signal }) =>
      backtest(alone, stored.received_at, nextMillisecond(stored.received_at), signal),
    retry: false,
    staleTime: 60_000,
  });
  if (error) return <InlineError error={error} />;
  if (!data) return <p className="text-muted">Asking…</p>;
  const isMet = data.matches.some((match) => match.event_id === stored.id);
  const { language, source } = readCondition(rule.condition);
  const why = !isMet && language === 'cel' ? explainCondition(source, stored.event) : null;
  const isAlone = (rule.trigger?.type ?? 'event') === 'event';
  return (
    <p className="flex items-baseline gap-2" role="status" data-why-not>
      <Shape tone={isMet ? 'success' : 'muted'} />
      <span>
        {isMet
          ? isAlone
            ? 'Would fire.'
            : 'Would be counted.'
          : isAlone
            ? 'Would not fire: '
            : 'Would not be counted: '}
        {!isMet &&
          (data.scanned === 1 && data.condition_errors > 0 ? (
            <Foreign text={`the condition fails on it: ${data.last_condition_error ?? ''}`} />
          ) : (
            <Foreign text={why ?? 'the condition says no'} />
          ))}
        {!isMet && '.'}
      </span>
    </p>
  );
}
