import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { namedNamespace } from '@/api/connection';
import { postEvent } from '@/api/events';
import { key } from '@/api/keys';
import type { CloudEvent } from '@/api/types';
import { Dialog } from '@/ui/dialog';
import { Field, TextArea } from '@/ui/field';
import { FormFooter } from '@/ui/form-footer';
import { InlineError } from '@/ui/states';
import { toast } from '@/ui/toast';

function sample(): CloudEvent {
  const now = new Date().toISOString();
  const run = `sample-${Date.now()}`;
  const namespace = namedNamespace();
  return {
    specversion: '1.0',
    id: run,
    source: '/dashboard/sample',
    type: 'workflow.failed',
    subject: `graph/nightly-etl/run/${run}`,
    time: now,
    ...(namespace ? { namespace } : {}),
    data: {
      graph_name: 'nightly-etl',
      run_id: run,
      status: 'FAILED',
      errored_count: 5,
      success_count: 4,
      total_count: 9,
      duration_ms: 61_000,
    },
  };
}

/** Posts a real event: rules that match it fire, and what they make is sent. */
export function PostEvent({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(sample(), null, 2));
  const [syntax, setSyntax] = useState<string>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const post = useMutation({
    mutationFn: postEvent,
    onSettled: () => client.invalidateQueries({ queryKey: key('events') }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      const parsed = JSON.parse(text) as CloudEvent;
      setSyntax(undefined);
      post.mutate(parsed, {
        onSuccess: (accepted) => {
          const first = accepted.events[0];
          toast.done(
            accepted.duplicates > 0
              ? 'It was known already; nothing is sent for it again'
              : 'Posted',
          );
          if (first) void navigate({ to: '/events/$id', params: { id: first.id } });
        },
      });
    } catch (error) {
      setSyntax(`Not JSON yet: ${error instanceof Error ? error.message : ''}`);
    }
  };
  return (
    <Dialog
      title="Post a sample event"
      description="It is real: rules that match it fire, and their alerts are sent."
      isOpen
      onClose={onClose}
      shape="wide"
    >
      <form onSubmit={submit} className="space-y-4">
        <Field label="CloudEvent" error={syntax}>
          {(ids) => (
            <TextArea
              {...ids}
              rows={18}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <InlineError error={post.error} />
        <FormFooter action="Post event" onCancel={onClose} isBusy={post.isPending} />
      </form>
    </Dialog>
  );
}
