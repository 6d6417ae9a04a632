/** Preview shows the exact request; the test sends it and shows the real answer. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Eye, Send } from 'lucide-react';
import { key } from '@/api/keys';
import { useMay } from '@/api/session';
import type { Delivery, Preview, SentRequest } from '@/api/types';
import { exchangesOf } from '@/api/types';
import { previewEndpoint, testEndpoint } from '@/api/webhooks';
import { tookText } from '@/format/duration';
import { RequestView } from '@/pages/deliveries/exchange';
import { Button } from '@/ui/button';
import { InlineError } from '@/ui/states';
import { Shape } from '@/ui/status';
import { Foreign, StrangerText } from '@/ui/stranger-text';
import { reasonOf } from '@/words/delivery';

export function TryOut({ endpointId }: { endpointId: string }) {
  const client = useQueryClient();
  const canTest = useMay('editor');
  const preview = useMutation({ mutationFn: () => previewEndpoint(endpointId) });
  const test = useMutation({
    mutationFn: () => testEndpoint(endpointId),
    onSettled: () => client.invalidateQueries({ queryKey: key('deliveries') }),
  });
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap gap-2">
        {canTest && (
          <Button onClick={() => test.mutate()} isBusy={test.isPending}>
            <Send /> Send test
          </Button>
        )}
        <Button onClick={() => preview.mutate()} isBusy={preview.isPending}>
          <Eye /> Preview
        </Button>
      </div>
      <div aria-live="polite" className="space-y-4">
        <InlineError error={test.error} />
        {test.data && <TestAnswer delivery={test.data} />}
        <InlineError error={preview.error} />
        {preview.data && <PreviewView preview={preview.data} />}
      </div>
    </div>
  );
}

export function TestAnswer({ delivery }: { delivery: Delivery }) {
  const attempt = delivery.attempts?.at(-1);
  const isGood = delivery.status === 'delivered';
  const response = attempt && exchangesOf(attempt).at(-1)?.outcome.response;
  return (
    <div data-test-answer>
      <p className="flex items-center gap-2 font-medium">
        <Shape tone={isGood ? 'success' : 'danger'} />
        {attempt?.status_code != null ? (
          <span>
            It answered {attempt.status_code} in {tookText(attempt.duration_ms)}
            {isGood ? '. The alert is delivered.' : '.'}
          </span>
        ) : (
          <span>
            Not sent: <Foreign text={reasonOf(delivery.last_error) || 'no reason was given'} />
          </span>
        )}
      </p>
      {!isGood && attempt?.error && attempt.status_code != null && (
        <p className="text-muted mt-1">
          <Foreign text={attempt.error} />
        </p>
      )}
      {response && response.body !== '' && (
        <StrangerText text={response.body} label="What it answered" className="mt-2" />
      )}
    </div>
  );
}

function PreviewView({ preview }: { preview: Preview }) {
  const requests = preview.requests as unknown as SentRequest[];
  if (requests.length === 0) {
    return (
      <p>
        Nothing would be sent:{' '}
        <Foreign text={preview.reason ?? preview.verdict ?? 'the target wants nothing'} />
      </p>
    );
  }
  return (
    <div className="space-y-3">
      <p className="text-muted">This is what is sent for a sample event. Nothing was sent.</p>
      {requests.map((request, i) => (
        <RequestView key={i} request={request} />
      ))}
      {preview.asks_again && (
        <p className="text-muted">What is sent after it depends on the answer.</p>
      )}
    </div>
  );
}
