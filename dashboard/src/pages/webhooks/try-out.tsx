/** Preview shows the exact request; the test sends it and shows the real answer. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Eye, Send } from 'lucide-react';
import { key } from '@/api/keys';
import { previewEndpoint, testEndpoint } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Offered } from '@/ui/role-note';
import { InlineError } from '@/ui/states';
import { reasonOf } from '@/words/delivery';
import { PreviewView, TestAnswer } from './answers';

export function TryOut({ endpointId }: { endpointId: string }) {
  const client = useQueryClient();
  const preview = useMutation({ mutationFn: () => previewEndpoint(endpointId) });
  const test = useMutation({
    mutationFn: () => testEndpoint(endpointId),
    onSettled: () => client.invalidateQueries({ queryKey: key('deliveries') }),
  });
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center gap-2">
        <Offered role="editor" what="Sending a test">
          <Button onClick={() => test.mutate()} isBusy={test.isPending}>
            <Send /> Send test
          </Button>
        </Offered>
        <Button onClick={() => preview.mutate()} isBusy={preview.isPending}>
          <Eye /> Preview
        </Button>
      </div>
      <div aria-live="polite" className="space-y-4">
        <InlineError error={test.error} />
        {test.data && (
          <TestAnswer
            isDelivered={test.data.status === 'delivered'}
            attempt={test.data.attempts?.at(-1)}
            why={reasonOf(test.data.last_error)}
          />
        )}
        <InlineError error={preview.error} />
        {preview.data && <PreviewView preview={preview.data} />}
      </div>
    </div>
  );
}
