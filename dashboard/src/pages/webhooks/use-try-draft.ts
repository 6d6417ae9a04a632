/** Tries a webhook out that is not saved: the request it would send, kept as the form is, and a test on demand. */
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { key } from '@/api/keys';
import { ApiProblem } from '@/api/problem';
import type { WebhookDraft } from '@/api/types';
import { previewDraft, testDraft } from '@/api/webhooks';

/** So long after the last key the preview is asked for: writing a URL is not ten previews. */
const PAUSE_MS = 500;

/** Below which pointer the host tells what is wrong with the form's fields. */
const placeOf = (body: WebhookDraft) => (body.webhook ? '/webhook' : '/changes');

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** What the host says against the draft, as the form's own fields know it. */
export function formProblem(error: unknown, body: WebhookDraft): ApiProblem | null {
  return error instanceof ApiProblem ? error.below(placeOf(body)) : null;
}

export function useTryDraft(body: WebhookDraft) {
  const [isPreviewing, setPreviewing] = useState(false);
  const text = useSettled(JSON.stringify(body));
  const preview = useQuery({
    queryKey: key('webhooks', 'draft-preview', text),
    queryFn: ({ signal }) => previewDraft(JSON.parse(text) as WebhookDraft, signal),
    enabled: isPreviewing,
    placeholderData: keepPreviousData,
    retry: false,
    // A draft has secrets in it: it is kept no longer than it is shown.
    gcTime: 0,
    staleTime: Infinity,
  });
  const test = useMutation({ mutationFn: testDraft });
  const [sent, setSent] = useState<string>();
  const now = JSON.stringify(body);
  return {
    isPreviewing,
    preview,
    test,
    /** What was answered is about the form as it was when it was sent. */
    isOutdated: sent !== now,
    togglePreview: () => setPreviewing(!isPreviewing),
    send: () => {
      setSent(now);
      test.mutate(body);
    },
  };
}

export type TryDraft = ReturnType<typeof useTryDraft>;
