/** One webhook: why it fails, first; then how it does, what leads to it, and what it is made of. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { useState } from 'react';
import { deliveriesQuery } from '@/api/deliveries';
import { isGone } from '@/api/problem';
import { usePlugins } from '@/api/operators';
import { useRules } from '@/api/rules';
import { useMay } from '@/api/session';
import { manifestOf, type Endpoint, type Rule } from '@/api/types';
import { changeEndpoint, deleteEndpoint, endpointQuery } from '@/api/webhooks';
import { DeliveryRow } from '@/pages/deliveries/row';
import { Button } from '@/ui/button';
import { Id } from '@/ui/copy';
import { Card, Facts, Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Empty, Failure, Note, Skeleton } from '@/ui/states';
import { Shape } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age, Countdown, Moment } from '@/ui/time';
import { plural } from '@/format/number';
import { reasonOf } from '@/words/delivery';
import { DeleteButton, SwitchButton } from '../switching';
import { EndpointCharts } from './charts';
import { CircuitNote } from './circuit';
import { EditWebhook } from './edit';
import { RulesOf } from './rules-of';
import { RotateSecret } from './rotate';
import { targetName } from './target-icon';
import { TryOut } from './try-out';
import { Verification } from './verification';

const route = getRouteApi('/webhooks/$id');

export function WebhookPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(endpointQuery(id));
  if (error && (!data || isGone(error)))
    return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  return <Detail endpoint={data.value} etag={data.etag} />;
}

function Detail({ endpoint, etag }: { endpoint: Endpoint; etag: string | null }) {
  const [isEditing, setEditing] = useState(false);
  const canEdit = useMay('editor');
  const rules = useRules();
  const plugins = usePlugins();
  const plugin = plugins.items.find((each) => each.id === endpoint.target);
  const own = rules.items.filter((rule) => rule.webhook_endpoint_id === endpoint.id);
  const newest = useQuery(deliveriesQuery({ webhook_endpoint_id: endpoint.id }, 10));
  return (
    <Page
      title={endpoint.name}
      above={
        <Link to="/webhooks" className="hover:underline">
          Webhooks
        </Link>
      }
      subtitle={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {targetName(endpoint.target)} · <Foreign text={endpoint.target_url} />{' '}
          <Id id={endpoint.id} />
        </span>
      }
      actions={
        <Offered role="editor" what="Changing a webhook">
          <Actions endpoint={endpoint} rules={own} onEdit={() => setEditing(true)} />
        </Offered>
      }
    >
      <CircuitNote endpoint={endpoint} />
      <NewestFailure endpointId={endpoint.id} />
      <EndpointCharts endpointId={endpoint.id} />
      <div className="grid gap-6 xl:grid-cols-2">
        <Card title="Try it">
          <TryOut endpointId={endpoint.id} />
        </Card>
        <Card title="Rules that tell it">
          <RulesOf rules={own} endpoint={endpoint} isPending={rules.isPending} />
        </Card>
      </div>
      <Card
        title="Newest deliveries"
        aside={
          <Button asChild size="small">
            <Link to="/deliveries" search={{ endpoint: endpoint.id }}>
              See all
            </Link>
          </Button>
        }
      >
        {newest.data?.data.length === 0 ? (
          <Empty title="Nothing was sent here yet">Send a test, or wait for a rule to fire.</Empty>
        ) : newest.data ? (
          <ul className="-mx-4 -mb-4 sm:-mx-5 sm:-mb-5">
            {newest.data.data.map((delivery) => (
              <li key={delivery.id}>
                <DeliveryRow delivery={delivery} endpointName={endpoint.name} />
              </li>
            ))}
          </ul>
        ) : (
          <Skeleton rows={3} />
        )}
      </Card>
      <div className="grid gap-6 xl:grid-cols-2">
        <Card title="Settings">
          <Settings endpoint={endpoint} />
        </Card>
        <Card title="Signature" aside={canEdit && <RotateSecret endpointId={endpoint.id} />}>
          <OldSecret until={endpoint.previous_secret_valid_until} />
          <p className="text-muted mb-3">
            Each request is signed with the webhook’s secret. Check it like this:
          </p>
          <Verification endpointId={endpoint.id} />
        </Card>
      </div>
      {isEditing && (
        <EditWebhook
          endpoint={endpoint}
          etag={etag}
          manifest={plugin ? manifestOf(plugin) : {}}
          targets={plugins.items}
          onClose={() => setEditing(false)}
        />
      )}
    </Page>
  );
}

interface ActionsProps {
  endpoint: Endpoint;
  rules: Rule[];
  onEdit: () => void;
}

function Actions({ endpoint, rules, onEdit }: ActionsProps) {
  const navigate = useNavigate();
  const { id, name } = endpoint;
  return (
    <>
      <SwitchButton
        part="webhooks"
        name={name}
        isOn={endpoint.is_active}
        change={(isActive) => changeEndpoint(id, { is_active: isActive })}
      />
      <DeleteButton
        part="webhooks"
        noun="webhook"
        name={name}
        consequence={
          rules.length === 0
            ? 'Deletes the webhook. No rule points to it. What was delivered stays on record.'
            : `Deletes the webhook; ${plural(rules.length, 'rule')} ${rules.length === 1 ? 'points' : 'point'} to it and will be skipped.`
        }
        remove={() => deleteEndpoint(id)}
        onDeleted={() => void navigate({ to: '/webhooks', search: {} })}
      />
      <Button look="primary" onClick={onEdit}>
        <Pencil /> Edit
      </Button>
    </>
  );
}

/** After a rotation, also on a page that was opened later: how long the receiver may still know the old one alone. */
function OldSecret({ until }: { until: string | null | undefined }) {
  if (!until) return null;
  return (
    <div className="mb-4">
      <Note tone="waiting">
        The secret was rotated. The old one signs as well until <Moment at={until} />: it ends{' '}
        <Countdown until={until} />. Change your receiver before.
      </Note>
    </div>
  );
}

function NewestFailure({ endpointId }: { endpointId: string }) {
  const { data } = useQuery(
    deliveriesQuery({ webhook_endpoint_id: endpointId, status: 'dead' }, 1),
  );
  const failure = data?.data[0];
  if (!failure) return null;
  return (
    <Note tone="danger">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="flex min-w-0 items-baseline gap-2">
          <Shape tone="danger" />
          <span>
            The newest alert that was given up:{' '}
            <strong className="font-semibold">
              <Foreign text={reasonOf(failure.last_error) || 'no reason was recorded'} />
            </strong>
            , <Age at={failure.finished_at ?? failure.created_at} />
          </span>
        </p>
        <Button asChild size="small">
          <Link to="/deliveries/$id" params={{ id: failure.id }}>
            See what happened
          </Link>
        </Button>
      </div>
    </Note>
  );
}

function Settings({ endpoint }: { endpoint: Endpoint }) {
  const settings = Object.entries(endpoint.settings ?? {});
  const headers = Object.entries(endpoint.headers ?? {});
  return (
    <Facts
      facts={[
        ['Target', targetName(endpoint.target)],
        ...settings.map(([name, value]): [string, React.ReactNode] => [
          name,
          <Foreign key={name} text={typeof value === 'string' ? value : JSON.stringify(value)} />,
        ]),
        ...headers.map(([name, value]): [string, React.ReactNode] => [
          `Header ${name}`,
          <Foreign key={name} text={value} />,
        ]),
        ['Event data', endpoint.include_event_data ? 'sent with each alert' : 'not sent'],
        ['Rate limit', endpoint.rate_limit ? `${endpoint.rate_limit.per_minute} a minute` : 'none'],
        ['Gone after', `${endpoint.gone_after} × 404 or 410`],
        ['Version', String(endpoint.version)],
        ['Added', <Moment key="added" at={endpoint.created_at} />],
        ['Changed', <Moment key="changed" at={endpoint.updated_at} />],
      ]}
    />
  );
}
