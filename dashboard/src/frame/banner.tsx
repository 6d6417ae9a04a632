/** Says that the server is away, and asks it again until it is back. Nothing on the page is lost meanwhile. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { connection, useConnection } from '@/api/connection';
import { Button } from '@/ui/button';

const ASK_AGAIN_MS = 3_000;

export function Banner() {
  const { isReachable } = useConnection();
  const client = useQueryClient();
  useEffect(() => {
    if (isReachable) return;
    const timer = setInterval(() => void ask(client), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isReachable, client]);
  if (isReachable) return null;
  return (
    <div
      role="alert"
      className="bg-card border-danger/50 flex flex-wrap items-center justify-center gap-x-4 gap-y-2 border-b px-4 py-2"
    >
      <span>
        <strong>The server does not answer.</strong> What you see may be old, and what you wrote is
        kept.
      </span>
      <Button size="small" onClick={() => void ask(client)}>
        Try now
      </Button>
    </div>
  );
}

async function ask(client: ReturnType<typeof useQueryClient>) {
  try {
    const answer = await fetch('/healthz');
    if (!answer.ok) return;
    connection.set({ isReachable: true });
    await client.invalidateQueries();
  } catch {
    // Still away.
  }
}
