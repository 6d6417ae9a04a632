import { useState, type FormEvent } from 'react';
import { ApiProblem } from '@/api/problem';
import type { Endpoint, Plugin, TargetManifest } from '@/api/types';
import { changeEndpoint, useEndpointMutation } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { InlineError } from '@/ui/states';
import { toast } from '@/ui/toast';
import { Conflict } from '../conflict';
import { draftOf, patchOf } from './draft';
import { WebhookFields } from './fields';

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
  const save = useEndpointMutation((tag: string | null) =>
    changeEndpoint(endpoint.id, patchOf(draft), tag),
  );
  const problem = save.error instanceof ApiProblem ? save.error : null;
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
  const isConflict = problem?.status === 412;
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
        {isConflict ? (
          <Conflict what="webhook" onOverwrite={() => send(null)} onTakeTheirs={onClose} />
        ) : (
          save.error &&
          !(problem && problem.errors.length > 0) && <InlineError error={save.error} />
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isBusy={save.isPending} disabled={isConflict}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
