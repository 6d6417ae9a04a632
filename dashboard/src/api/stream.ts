/** The stream of what happens in the namespace: tells the query cache what to read anew. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { connection } from './connection';
import { watch, type StreamMessage } from './event-stream';
import { key } from './keys';

export type StreamState = 'connecting' | 'live' | 'paused' | 'offline';

/** Something that changed: its id, and what a row of a list shows of it. What is absent is as it was. */
export interface Changed {
  id: string;
  [field: string]: unknown;
}

/** Kinds of messages, and the parts of the cache that each makes stale. */
const STALE: Record<string, string[]> = {
  delivery: ['deliveries', 'dead-letters'],
  event: ['events'],
  rule: ['rules'],
  endpoint: ['webhooks'],
};

/** A busy host says something many times a second; reading anew once a second is live enough. */
const SETTLE_MS = 1_000;

let state: StreamState = 'connecting';
let isPaused = false;
const stateListeners = new Set<() => void>();
const changeListeners = new Set<(kind: string, changed: Changed[]) => void>();

function setState(next: StreamState) {
  if (state === next) return;
  state = next;
  stateListeners.forEach((listener) => listener());
}

function subscribe(listener: () => void) {
  stateListeners.add(listener);
  return () => void stateListeners.delete(listener);
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(subscribe, () => state);
}

/** Whether the person asked the page to stand still. */
export const isStreamPaused = () => isPaused;

export function setPaused(paused: boolean) {
  isPaused = paused;
  setState(paused ? 'paused' : 'connecting');
}

/** Calls back with what changed, at most once a second. */
export function useStreamMessages(onChanged: (kind: string, changed: Changed[]) => void) {
  useEffect(() => {
    changeListeners.add(onChanged);
    return () => void changeListeners.delete(onChanged);
  }, [onChanged]);
}

/** Keeps the stream of the present namespace open while the page is shown. */
export function useStream(namespace: string | null, isEnabled: boolean) {
  const client = useQueryClient();
  const paused = useSyncExternalStore(subscribe, () => isPaused);
  useEffect(() => {
    if (!isEnabled || paused) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const pending = new Map<string, Map<string, Changed>>();
    const settle = () => {
      timer = null;
      for (const [kind, changed] of pending) {
        for (const part of STALE[kind] ?? [])
          void client.invalidateQueries({ queryKey: key(part) });
        changeListeners.forEach((listener) => listener(kind, [...changed.values()]));
      }
      pending.clear();
    };
    const note = (message: StreamMessage) => {
      // What was missed is not known: everything is read anew.
      if (message.event === 'reset') return void client.invalidateQueries();
      const changed = changedOf(message.data);
      if (!changed || !STALE[message.event]) return;
      const same = pending.get(message.event) ?? new Map<string, Changed>();
      same.set(changed.id, { ...same.get(changed.id), ...changed });
      pending.set(message.event, same);
      timer ??= setTimeout(settle, SETTLE_MS);
    };
    const stop = watch('/v1/stream', {
      onOpen: () => {
        setState('live');
        connection.set({ isReachable: true });
      },
      onMessage: note,
      onCut: () => setState('offline'),
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, [client, namespace, isEnabled, paused]);
}

function changedOf(data: string): Changed | null {
  try {
    const parsed: unknown = JSON.parse(data);
    const isNamed =
      typeof parsed === 'object' && parsed !== null && typeof (parsed as Changed).id === 'string';
    return isNamed ? (parsed as Changed) : null;
  } catch {
    return null;
  }
}
