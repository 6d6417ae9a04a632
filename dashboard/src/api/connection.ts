/** Whether the server answers, whether the session is open, and for which namespace requests are made. */
import { useSyncExternalStore } from 'react';

export interface Connection {
  isReachable: boolean;
  /** A request was refused for want of a session, after there had been one. */
  isExpired: boolean;
  namespace: string | null;
  csrfToken: string | null;
}

let state: Connection = { isReachable: true, isExpired: false, namespace: null, csrfToken: null };
const listeners = new Set<() => void>();

export const connection = {
  get: () => state,
  set(change: Partial<Connection>) {
    const next = { ...state, ...change };
    const same = (Object.keys(next) as (keyof Connection)[]).every((k) => next[k] === state[k]);
    if (same) return;
    state = next;
    listeners.forEach((listener) => listener());
  },
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

export function useConnection(): Connection {
  return useSyncExternalStore(connection.subscribe, connection.get);
}
