/** Adds a webhook in one sheet: the form, tried before it is saved; then what was made of it. */
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { idempotencyKey } from '@/api/client';
import { usePlugins } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { Endpoint } from '@/api/types';
import { createEndpoint, useEndpointMutation } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { FormError, FormFooter } from '@/ui/form-footer';
import { Failure, Note, Skeleton } from '@/ui/states';
import { emptyDraft, newEndpointOf } from './draft';
import { WebhookFields } from './fields';
import { SecretOnce } from './secret';
import { TryDraftAnswers, TryDraftButtons } from './try-draft';
import { TryOut } from './try-out';
import { formProblem, useTryDraft } from './use-try-draft';

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

interface AddFormProps {
  onAdded: (endpoint: Endpoint) => void;
  onCancel: () => void;
}

function AddForm({ onAdded, onCancel }: AddFormProps) {
  const plugins = usePlugins();
  const [draft, setDraft] = useState(emptyDraft);
  // The same for every try of this form: a lost answer does not make two.
  const [idempotency, renew] = useState(idempotencyKey);
  const body = { webhook: newEndpointOf(draft) };
  const create = useEndpointMutation(() => createEndpoint(body.webhook, idempotency));
  const tried = useTryDraft(body);
  const targets = plugins.items.filter(
    (plugin) => plugin.kind === 'target' && plugin.state === 'ready',
  );
  const problem =
    create.error instanceof ApiProblem && create.submittedAt >= tried.test.submittedAt
      ? create.error
      : formProblem(tried.test.error, body);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(undefined, {
      onSuccess: onAdded,
      // What is sent next is another request.
      onError: (error) => error instanceof ApiProblem && renew(idempotencyKey()),
    });
  };
  if (plugins.error && plugins.items.length === 0)
    return <Failure error={plugins.error} onRetry={() => void plugins.refetch()} />;
  if (plugins.isPending) return <Skeleton />;
  return (
    <form onSubmit={submit} className="space-y-6">
      <WebhookFields draft={draft} onChange={setDraft} targets={targets} problem={problem} />
      <TryDraftAnswers tried={tried} isNew />
      <FormError error={create.error} />
      <FormFooter action="Add webhook" onCancel={onCancel} isBusy={create.isPending}>
        <TryDraftButtons tried={tried} />
      </FormFooter>
    </form>
  );
}

function Added({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <Dialog title={`${endpoint.name} is added`} isOpen isKept onClose={onClose} shape="sheet">
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
