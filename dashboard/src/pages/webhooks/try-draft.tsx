/** In the form of a webhook: what it would send, and what the target says to it, before it is saved. */
import { Eye, EyeOff, Send } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { ApiProblem, messageOf } from '@/api/problem';
import { Button } from '@/ui/button';
import { FormError } from '@/ui/form-footer';
import { PreviewView, TestAnswer } from './answers';
import type { TryDraft } from './use-try-draft';

export function TryDraftButtons({ tried }: { tried: TryDraft }) {
  return (
    <>
      <Button onClick={tried.togglePreview} aria-expanded={tried.isPreviewing}>
        {tried.isPreviewing ? <EyeOff /> : <Eye />}{' '}
        {tried.isPreviewing ? 'Hide preview' : 'Preview'}
      </Button>
      <Button onClick={tried.send} isBusy={tried.test.isPending}>
        <Send /> Send test
      </Button>
    </>
  );
}

interface AnswersProps {
  tried: TryDraft;
  /** The signing secret is made when it is saved: a receiver that checks it refuses the test. */
  isNew?: boolean;
}

export function TryDraftAnswers({ tried, isNew }: AnswersProps) {
  const { preview, test, isPreviewing, isOutdated } = tried;
  const isTested = !isOutdated && (test.data !== undefined || test.error !== null);
  const place = useRef<HTMLDivElement>(null);
  // The form is long, and what was asked for is at its end.
  useEffect(() => {
    if (isTested) place.current?.scrollIntoView({ block: 'nearest' });
  }, [isTested, test.submittedAt]);
  if (!isPreviewing && !isTested) return null;
  return (
    <div ref={place} aria-live="polite" className="bg-card space-y-4 rounded-lg border p-4">
      {isTested && test.data && (
        <>
          <TestAnswer isDelivered={test.data.is_delivered} attempt={test.data.attempt} why="" />
          {isNew && [400, 401, 403].includes(test.data.attempt.status_code ?? 0) && (
            <p className="text-muted text-[13px]">
              A receiver that checks signatures refuses it: the signing secret is made when you add
              the webhook.
            </p>
          )}
        </>
      )}
      {isTested && <FormError error={test.error} />}
      {isTested && test.error instanceof ApiProblem && test.error.errors.length > 0 && (
        <p>Nothing was sent: mend what is marked in red.</p>
      )}
      {isPreviewing &&
        (preview.error ? (
          <p className="text-muted">
            No preview yet: <span className="stranger">{messageOf(preview.error)}</span>
          </p>
        ) : preview.data ? (
          <PreviewView preview={preview.data} />
        ) : (
          <p className="text-muted">Making the preview…</p>
        ))}
    </div>
  );
}
