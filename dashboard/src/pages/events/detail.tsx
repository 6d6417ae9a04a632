/** Why did, or did not, a rule fire? */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { deliveriesQuery } from '@/api/deliveries';
import { eventQuery } from '@/api/events';
import { useRules } from '@/api/rules';
import { eventOf, type Rule, type RuleOutcome, type StoredEvent } from '@/api/types';
import { useEndpointNames } from '@/api/webhooks';
import { Id, cutMiddle } from '@/ui/copy';
import { Card, Facts, Page } from '@/ui/page';
import { Failure, Skeleton } from '@/ui/states';
import { Shape } from '@/ui/status';
import { Foreign, StrangerText, visible } from '@/ui/stranger-text';
import { Age, Moment } from '@/ui/time';
import type { Tone } from '@/words/delivery';
import { explainCondition } from '@/words/explain';
import { reasonText } from '@/words/reason';
import { readCondition } from '@/words/rule';
import { DeliveryRow } from '../deliveries/row';

const route = getRouteApi('/events/$id');

export function EventPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(eventQuery(id));
  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  return data ? <Detail stored={data} /> : <Skeleton />;
}

function Detail({ stored }: { stored: StoredEvent }) {
  const event = eventOf(stored);
  const rules = useRules();
  const byId = new Map(rules.items.map((rule) => [rule.id, rule]));
  const names = useEndpointNames();
  const deliveries = useQuery(deliveriesQuery({ event_id: stored.id }, 50));
  return (
    <Page
      title={visible(event.type)}
      above={
        <Link to="/events" className="hover:underline">
          Events
        </Link>
      }
      subtitle={
        <span>
          came in <Age at={stored.received_at} /> · <Id id={stored.id} />
        </span>
      }
    >
      <div className="grid items-start gap-6 xl:grid-cols-2">
        <div className="min-w-0 space-y-6">
          <Card title="What each rule made of it">
            {stored.rules.length === 0 ? (
              <p className="text-muted">
                No rule looked at it: none that was on covers the type <Foreign text={event.type} />
                .
              </p>
            ) : (
              <ul className="divide-y">
                {stored.rules.map((outcome) => (
                  <Outcome
                    key={outcome.alert_rule_id}
                    outcome={outcome}
                    rule={byId.get(outcome.alert_rule_id)}
                    stored={stored}
                  />
                ))}
              </ul>
            )}
          </Card>
          <Card title="Alerts it made">
            {deliveries.data?.data.length ? (
              <div className="-mx-4 -mb-4 sm:-mx-5 sm:-mb-5">
                {deliveries.data.data.map((delivery) => (
                  <DeliveryRow
                    key={delivery.id}
                    delivery={delivery}
                    endpointName={names.get(delivery.webhook_endpoint_id)}
                  />
                ))}
              </div>
            ) : (
              <p className="text-muted">{deliveries.isPending ? 'Loading…' : 'None.'}</p>
            )}
          </Card>
          <Card title="About it">
            <Facts
              facts={[
                ['Type', <Foreign key="t" text={event.type} />],
                ['Source', <Foreign key="s" text={event.source} />],
                ['Its own id', <Foreign key="i" text={event.id} />],
                ...(event.subject
                  ? [
                      ['Subject', <Foreign key="u" text={event.subject} />] as [
                        string,
                        React.ReactNode,
                      ],
                    ]
                  : []),
                ...(event.time
                  ? [['Happened', <Moment key="h" at={event.time} />] as [string, React.ReactNode]]
                  : []),
                ['Came in', <Moment key="c" at={stored.received_at} />],
              ]}
            />
          </Card>
        </div>
        <Card title="As it was posted">
          <StrangerText text={JSON.stringify(stored.event)} label="The event" />
        </Card>
      </div>
    </Page>
  );
}

function Outcome({
  outcome,
  rule,
  stored,
}: {
  outcome: RuleOutcome;
  rule: Rule | undefined;
  stored: StoredEvent;
}) {
  const tone: Tone = outcome.fired
    ? 'success'
    : ['condition_error', 'endpoint_deleted', 'given_up'].includes(outcome.reason)
      ? 'danger'
      : 'muted';
  const { language, source } = readCondition(rule?.condition);
  // Only while the rule is as it was: a newer condition did not decide then.
  const isUnchanged = rule && rule.updated_at < stored.received_at;
  const why =
    outcome.reason === 'condition_false' && isUnchanged && language === 'cel'
      ? explainCondition(source, stored.event)
      : null;
  return (
    <li className="flex items-baseline gap-3 py-2.5">
      <Shape tone={tone} />
      <span className="min-w-0">
        <Link
          to="/rules/$id"
          params={{ id: outcome.alert_rule_id }}
          className="font-medium hover:underline"
        >
          <Foreign text={rule?.name ?? cutMiddle(outcome.alert_rule_id)} />
        </Link>
        <span className="text-muted block text-[13px]">
          <Foreign text={why ?? reasonText(outcome)} />
        </span>
      </span>
    </li>
  );
}
