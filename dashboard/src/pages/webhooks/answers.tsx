/** What a preview shows, and what a test was answered. */
import type { Attempt, Preview, SentRequest } from '@/api/types';
import { exchangesOf } from '@/api/types';
import { tookText } from '@/format/duration';
import { RequestView } from '@/pages/deliveries/exchange';
import { Shape } from '@/ui/status';
import { Foreign, StrangerText } from '@/ui/stranger-text';

interface TestAnswerProps {
  isDelivered: boolean;
  attempt: Attempt | undefined;
  /** Why nothing was sent, when nothing was. */
  why: string;
}

export function TestAnswer({ isDelivered, attempt, why }: TestAnswerProps) {
  const response = attempt && exchangesOf(attempt).at(-1)?.outcome.response;
  const isAnswered = attempt?.status_code != null;
  return (
    <div data-test-answer>
      <p className="flex items-center gap-2 font-medium">
        <Shape tone={isDelivered ? 'success' : 'danger'} />
        {isAnswered ? (
          <span>
            It answered {attempt.status_code} in {tookText(attempt.duration_ms)}
            {isDelivered ? '. The alert is delivered.' : '.'}
          </span>
        ) : (
          <span>
            Not sent: <Foreign text={attempt?.error ?? (why || 'no reason was given')} />
          </span>
        )}
      </p>
      {!isDelivered && isAnswered && attempt.error && (
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

export function PreviewView({ preview }: { preview: Preview }) {
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
      <p className="text-muted">
        This is what is sent for a sample event. The preview itself sends nothing.
      </p>
      {requests.map((request, i) => (
        <RequestView key={i} request={request} />
      ))}
      {preview.asks_again && (
        <p className="text-muted">What is sent after it depends on the answer.</p>
      )}
    </div>
  );
}
