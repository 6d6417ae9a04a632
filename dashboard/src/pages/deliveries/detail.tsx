/** What happened to one alert, exactly: the verdict first, then every step. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { deliveryQuery } from '@/api/deliveries';
import { eventQuery } from '@/api/events';
import { eventOf, type Delivery } from '@/api/types';
import { useEndpointNames } from '@/api/webhooks';
import { Id, cutMiddle } from '@/ui/copy';
import { Card, Facts, Page } from '@/ui/page';
import { Failure, Skeleton } from '@/ui/states';
import { DeliveryBadge } from '@/ui/status';
import { Foreign, visible } from '@/ui/stranger-text';
import { Age, Moment } from '@/ui/time';
import { verdictSentence } from '@/words/delivery';
import { DeliveryActions } from './actions';
import { Timeline } from './timeline';

const route = getRouteApi('/deliveries/$id');

/** What is under way is looked at again this often, should the stream be cut. */
const POLL_MS = 3_000;

export function DeliveryPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...deliveryQuery(id),
    refetchInterval: ({ state }) =>
      ['scheduled', 'leased'].includes(state.data?.status ?? '') ? POLL_MS : false,
  });
  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  return data ? <Detail delivery={data} /> : <Skeleton />;
}

function Detail({ delivery }: { delivery: Delivery }) {
  const endpoint =
    useEndpointNames().get(delivery.webhook_endpoint_id) ?? cutMiddle(delivery.webhook_endpoint_id);
  const event = useQuery({ ...eventQuery(delivery.event_id), retry: false });
  const facts: [string, React.ReactNode][] = [
    [
      'Webhook',
      <Link
        key="w"
        to="/webhooks/$id"
        params={{ id: delivery.webhook_endpoint_id }}
        className="text-link hover:underline"
      >
        <Foreign text={endpoint} />
      </Link>,
    ],
    [
      'Rule',
      delivery.alert_rule_id ? (
        <Link
          key="r"
          to="/rules/$id"
          params={{ id: delivery.alert_rule_id }}
          className="text-link hover:underline"
        >
          <Foreign text={delivery.rule_name} />
        </Link>
      ) : (
        delivery.rule_name
      ),
    ],
    [
      'Event',
      <Link
        key="e"
        to="/events/$id"
        params={{ id: delivery.event_id }}
        className="text-link hover:underline"
      >
        <Foreign text={event.data ? eventOf(event.data).type : cutMiddle(delivery.event_id)} />
      </Link>,
    ],
    [
      'Made',
      <>
        <Moment at={delivery.created_at} />{' '}
        <span className="text-muted">
          (<Age at={delivery.created_at} />)
        </span>
      </>,
    ],
    ['Id', <Id key="id" id={delivery.id} />],
  ];
  if (delivery.redrive_of) {
    facts.push([
      'Repeats',
      <Link
        key="x"
        to="/deliveries/$id"
        params={{ id: delivery.redrive_of }}
        className="text-link hover:underline"
      >
        instead of {cutMiddle(delivery.redrive_of)}
      </Link>,
    ]);
  }
  if (delivery.redriven_as) {
    facts.push([
      'Sent again',
      <Link
        key="y"
        to="/deliveries/$id"
        params={{ id: delivery.redriven_as }}
        className="text-link hover:underline"
      >
        as {cutMiddle(delivery.redriven_as)}
      </Link>,
    ]);
  }
  return (
    <Page
      title={visible(verdictSentence(delivery, endpoint))}
      above={
        <Link to="/deliveries" className="hover:underline">
          Deliveries
        </Link>
      }
      subtitle={<DeliveryBadge status={delivery.status} />}
      actions={<DeliveryActions delivery={delivery} />}
    >
      <div className="grid gap-6 lg:grid-cols-[1fr_20rem]">
        <section aria-label="What happened" className="min-w-0 max-lg:order-2">
          <Timeline
            delivery={delivery}
            endpoint={endpoint}
            eventType={event.data ? eventOf(event.data).type : null}
          />
        </section>
        <Card title="About it" className="h-fit">
          <Facts facts={facts} />
        </Card>
      </div>
    </Page>
  );
}
