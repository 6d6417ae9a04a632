/** Changes a webhook, tried before it is saved. */
import { useState, type FormEvent } from 'react';
import { ApiProblem } from '@/api/problem';
import type { Endpoint, Plugin, TargetManifest } from '@/api/types';
import { changeEndpoint, useEndpointMutation } from '@/api/webhooks';
import { Dialog } from '@/ui/dialog';
import { FormError, FormFooter } from '@/ui/form-footer';
import { toast } from '@/ui/toast';
import { Conflict } from '../conflict';
import { draftOf, patchOf } from './draft';
import { WebhookFields } from './fields';
import { TryDraftAnswers, TryDraftButtons } from './try-draft';
import { formProblem, useTryDraft } from './use-try-draft';

interface EditWebhookProps {
  endpoint: Endpoint;
  etag: string | null;
  manifest: TargetManifest;
  targets: Plugin[];
  onClose: () => void;
}

export function EditWebhook({ endpoint, etag, manifest, targets, onClose }: EditWebhookProps) {
  const [draft, setDraft] = useState(() => draftOf(endpoint, manifest));
  // The version that the person saw when they began, not the newest one that a refresh brought.
  const [base] = useState(etag);
  const body = { webhook_endpoint_id: endpoint.id, changes: patchOf(draft) };
  const tried = useTryDraft(body);
  const save = useEndpointMutation((tag: string | null) =>
    changeEndpoint(endpoint.id, body.changes, tag),
  );
  const problem =
    save.error instanceof ApiProblem && save.submittedAt >= tried.test.submittedAt
      ? save.error
      : formProblem(tried.test.error, body);
  const send = (tag: string | null) =>
    save.mutate(tag, {
      onSuccess: () => {
        toast.done('Saved');
        onClose();
      },
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(base);
  };
  const isConflict = save.error instanceof ApiProblem && save.error.status === 412;
  return (
    <Dialog title={`Edit ${endpoint.name}`} isOpen onClose={onClose} shape="sheet">
      <form onSubmit={submit} className="space-y-6">
        <WebhookFields
          draft={draft}
          onChange={setDraft}
          targets={targets}
          problem={problem}
          isExisting
        />
        <TryDraftAnswers tried={tried} />
        {isConflict ? (
          <Conflict what="webhook" onOverwrite={() => send(null)} onTakeTheirs={onClose} />
        ) : (
          <FormError error={save.error} />
        )}
        <FormFooter
          action="Save"
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={isConflict}
        >
          <TryDraftButtons tried={tried} />
        </FormFooter>
      </form>
    </Dialog>
  );
}
