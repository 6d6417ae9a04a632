/** Adds a webhook in one sheet: the form, then what was made of it, tried at once. */
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { idempotencyKey } from '@/api/client';
import { usePlugins } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { Endpoint } from '@/api/types';
import { createEndpoint, useEndpointMutation } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { InlineError, Note, Skeleton } from '@/ui/states';
import { emptyDraft, newEndpointOf } from './draft';
import { WebhookFields } from './fields';
import { SecretOnce } from './secret';
import { TryOut } from './try-out';

export function AddWebhook({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Endpoint | null>(null);
  return made ? (
    <Added endpoint={made} onClose={onClose} />
  ) : (
    <Dialog title="Add webhook" isOpen onClose={onClose} shape="sheet">
      <AddForm onAdded={setMade} onCancel={onClose} />
    </Dialog>
  );
}

function AddForm({
  onAdded,
  onCancel,
}: {
  onAdded: (endpoint: Endpoint) => void;
  onCancel: () => void;
}) {
  const plugins = usePlugins();
  const [draft, setDraft] = useState(emptyDraft);
  // The same for every try of this form: a lost answer does not make two.
  const [idempotency, renew] = useState(idempotencyKey);
  const create = useEndpointMutation(() => createEndpoint(newEndpointOf(draft), idempotency));
  const targets = plugins.items.filter(
    (plugin) => plugin.kind === 'target' && plugin.state === 'ready',
  );
  const problem = create.error instanceof ApiProblem ? create.error : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(undefined, {
      onSuccess: onAdded,
      // What is sent next is another request.
      onError: (error) => error instanceof ApiProblem && renew(idempotencyKey()),
    });
  };
  if (plugins.isPending) return <Skeleton />;
  return (
    <form onSubmit={submit} className="space-y-6">
      <WebhookFields draft={draft} onChange={setDraft} targets={targets} problem={problem} />
      {create.error && !(problem && problem.errors.length > 0) && (
        <InlineError error={create.error} />
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" isBusy={create.isPending}>
          Add webhook
        </Button>
      </div>
    </form>
  );
}

function Added({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <Dialog title={`${endpoint.name} is added`} isOpen onClose={onClose} shape="sheet">
      <div className="space-y-6">
        {endpoint.secret && <SecretOnce secret={endpoint.secret} />}
        <Note tone="plain">
          <h3 className="mb-3 font-semibold">See one arrive</h3>
          <TryOut endpointId={endpoint.id} />
        </Note>
        <div className="flex flex-wrap justify-end gap-2">
          <Button
            onClick={() => void navigate({ to: '/webhooks/$id', params: { id: endpoint.id } })}
          >
            Open the webhook
          </Button>
          <Button
            look="primary"
            onClick={() => void navigate({ to: '/rules/new', search: { endpoint: endpoint.id } })}
          >
            Add a rule for it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
