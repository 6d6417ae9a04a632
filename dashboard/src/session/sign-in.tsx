/** Signing in with an API key. The key is given to the host once and kept nowhere here. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { connection } from '@/api/connection';
import { ApiProblem, messageOf } from '@/api/problem';
import { sessionQuery, signIn } from '@/api/session';
import { Logo } from '@/frame/header';
import { ThemeMenu } from '@/frame/theme-menu';
import { Button } from '@/ui/button';
import { Field, Input } from '@/ui/field';

export function SignIn({ isExpired = false }: { isExpired?: boolean }) {
  const [apiKey, setApiKey] = useState('');
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const client = useQueryClient();
  useEffect(() => {
    document.title = 'Sign in · Alerts';
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(apiKey.trim());
      // Whoever comes back may be somebody else, so what the other one saw is not kept.
      await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
      connection.set({ isExpired: false });
      setApiKey('');
      await client.invalidateQueries();
    } catch (failure) {
      setError(wordsFor(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="flex min-h-dvh flex-col items-center px-4 pt-[14vh]">
      <div className="absolute top-3.5 right-4">
        <ThemeMenu />
      </div>
      <form
        onSubmit={(event) => void submit(event)}
        className="bg-card w-full max-w-sm space-y-5 rounded-lg border p-6"
      >
        <div className="space-y-3">
          <Logo />
          <h1 className="text-lg font-bold">
            {isExpired ? 'Your session has ended' : 'Sign in to Exosphere Alerts'}
          </h1>
          <p className="text-muted">
            {isExpired
              ? 'Sign in again, and the page is as you left it.'
              : 'With an API key of your namespace. Your administrator makes one under Keys.'}
          </p>
        </div>
        <Field label="API key" error={error}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              name="key"
              autoComplete="current-password"
              autoFocus
              required
              placeholder="exo_…"
              value={apiKey}
              onChange={(event) => setApiKey(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="primary" className="w-full" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
    </main>
  );
}

function wordsFor(failure: unknown): string {
  if (failure instanceof ApiProblem && failure.status === 401) {
    return failure.kind === 'key-expired'
      ? 'This key has expired. Ask your administrator for a new one.'
      : 'This key is not known here. Look whether it was copied whole.';
  }
  if (failure instanceof ApiProblem && failure.status === 429) {
    return `Too many wrong keys came from your address. ${failure.detail}`;
  }
  return messageOf(failure);
}
