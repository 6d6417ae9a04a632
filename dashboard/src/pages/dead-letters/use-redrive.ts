/** Sends many again, a part at a time, so that progress is seen and it can be stopped in between. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { redrive } from '@/api/deliveries';
import { key } from '@/api/keys';

/** Small enough that stopping is felt, large enough that thousands take seconds. */
const PART = 100;

export interface Progress {
  done: number;
  resent: number;
  total: number;
  state: 'running' | 'done' | 'stopped' | 'failed';
  error?: unknown;
}

export function useRedrive() {
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  const client = useQueryClient();
  // Whoever leaves the page stops it: what goes on unseen could go on in another namespace.
  useEffect(() => () => void (isStopped.current = true), []);

  const start = useCallback(
    async (ids: string[]) => {
      isStopped.current = false;
      let [done, resent] = [0, 0];
      const tell = (state: Progress['state'], error?: unknown) =>
        setProgress({ done, resent, total: ids.length, state, error });
      tell('running');
      try {
        while (done < ids.length && !isStopped.current) {
          const part = ids.slice(done, done + PART);
          resent += (await redrive(part)).redriven;
          done += part.length;
          tell('running');
        }
        tell(done < ids.length ? 'stopped' : 'done');
      } catch (error) {
        tell('failed', error);
      }
      await client.invalidateQueries({ queryKey: key('dead-letters') });
      await client.invalidateQueries({ queryKey: key('deliveries') });
    },
    [client],
  );

  return {
    progress,
    start,
    stop: () => void (isStopped.current = true),
    clear: () => setProgress(null),
  };
}
