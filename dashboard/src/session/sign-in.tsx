/** Signing in with an API key. The key is given to the host once and kept nowhere here. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { connection } from '@/api/connection';
import { ApiProblem, messageOf } from '@/api/problem';
import { sessionQuery, signIn, type Session } from '@/api/session';
import { Button } from '@/ui/button';
import { Field, Input } from '@/ui/field';
import { BackLink } from './back-link';
import { Threshold } from './threshold';

interface SignInProps {
  isExpired?: boolean;
  /** Of the session that has ended, if a link opened it. */
  portal?: Session['portal'];
}

export function SignIn({ isExpired = false, portal = null }: SignInProps) {
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
    <Threshold title={isExpired ? 'Your session has ended' : 'Sign in to Exosphere Alerts'}>
      <p className="text-muted">{adviceFor(isExpired, portal)}</p>
      <BackLink url={portal?.return_url} />
      <form onSubmit={(event) => void submit(event)} className="space-y-5">
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
    </Threshold>
  );
}

function adviceFor(isExpired: boolean, portal: Session['portal']): string {
  if (!isExpired && portal) {
    return 'You are signed out. A new link opens another session; or sign in with an API key of your namespace.';
  }
  if (!isExpired) {
    return 'With an API key of your namespace. Your administrator makes one under Keys.';
  }
  return portal
    ? 'It came from a link, and a new link opens another. This page stays as you left it: once you have signed in again, in another tab or here with a key, you can go on.'
    : 'Sign in again, and the page is as you left it.';
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
