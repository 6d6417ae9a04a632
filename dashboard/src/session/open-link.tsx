/** `/portal`: opens a portal link, once, and leads on to the dashboard; says what to do when it does not open. */
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { connection } from '@/api/connection';
import { ApiProblem, messageOf } from '@/api/problem';
import { openLink, sessionQuery } from '@/api/session';
import { forgetLinkTheme } from '@/frame/theme';
import { Button } from '@/ui/button';
import { linkToken } from './link-token';
import { Threshold } from './threshold';

/** Why somebody stands here and is not in. */
interface Refusal {
  title: string;
  advice: string;
  /** The same may work a little later. */
  mayRetry?: boolean;
  /** This browser has a session all the same. */
  isSignedIn?: boolean;
}

export function OpenLink() {
  const token = useSyncExternalStore(linkToken.subscribe, linkToken.get);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [attempt, setAttempt] = useState(0);
  const client = useQueryClient();
  const navigate = useNavigate();

  useEffect(() => {
    document.title = 'Opening · Alerts';
  }, []);
  useEffect(() => {
    let isLeft = false;
    void enter(client, token).then((refused) => {
      if (isLeft) return;
      setRefusal(refused);
      if (!refused) void navigate({ to: '/', search: {}, replace: true });
    });
    return () => void (isLeft = true);
  }, [token, attempt, client, navigate]);

  if (!refusal) {
    return (
      <Threshold title="Opening your link…">
        <p role="status" className="text-muted">
          This takes a moment.
        </p>
      </Threshold>
    );
  }
  const goOn = () => void navigate({ to: '/', search: {}, replace: true });
  return (
    <Threshold title={refusal.title}>
      <p role="alert" className="text-muted">
        {refusal.advice}
      </p>
      <div className="flex flex-wrap gap-2">
        {refusal.mayRetry && (
          <Button look="primary" onClick={() => setAttempt(attempt + 1)}>
            Try again
          </Button>
        )}
        {refusal.isSignedIn ? (
          <Button look="primary" onClick={goOn}>
            Go on to the dashboard
          </Button>
        ) : (
          <Button onClick={goOn}>Sign in with a key</Button>
        )}
      </div>
    </Threshold>
  );
}

/** What is being opened now: a link opens once, so it is asked for once. */
let inFlight: { token: string | null; answer: Promise<Refusal | null> } | null = null;

/** Opens the link and asks who is signed in now. Null when the way is free. */
function enter(client: QueryClient, token: string | null): Promise<Refusal | null> {
  if (inFlight?.token === token) return inFlight.answer;
  const answer = tryToEnter(client, token).finally(() => {
    if (inFlight?.answer === answer) inFlight = null;
  });
  inFlight = { token, answer };
  return answer;
}

async function tryToEnter(client: QueryClient, token: string | null): Promise<Refusal | null> {
  if (token === null) return (await isSignedIn(client)) ? null : NO_TOKEN;
  try {
    await openLink(token);
  } catch (failure) {
    if (!(failure instanceof ApiProblem && failure.status === 401)) return later(failure);
    return { ...SPENT, isSignedIn: await isSignedIn(client) };
  }
  // Whoever comes by a link sees nothing of whoever was signed in before.
  client.clear();
  forgetLinkTheme();
  return (await isSignedIn(client)) ? null : NO_COOKIE;
}

async function isSignedIn(client: QueryClient): Promise<boolean> {
  try {
    await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    connection.set({ isExpired: false });
    return true;
  } catch {
    return false;
  }
}

const SPENT: Refusal = {
  title: 'This link does not open any more',
  advice:
    'A link opens once, and only for a while: this one was opened before, its time is over, or it was not copied whole. Ask for a new one where you got it.',
};

const NO_TOKEN: Refusal = {
  title: 'This is only half of a link',
  advice:
    'What follows the # in it is missing, or was used already. Open the link again from where you got it, or ask there for a new one.',
};

const NO_COOKIE: Refusal = {
  title: 'Your browser did not keep the sign-in',
  advice:
    'The link was right, and is used up now. Within another site’s page a browser keeps a sign-in only over https; cookies may also be blocked. Ask for a new link, and open it in a tab of its own.',
};

const later = (failure: unknown): Refusal => ({
  title: 'The link could not be opened',
  advice: `${messageOf(failure)} The link is not used up; try again in a moment.`,
  mayRetry: true,
});
