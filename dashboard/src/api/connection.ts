/** Whether the server answers, whether the session is open, and for which namespace requests are made. */
import { useSyncExternalStore } from 'react';
import type { components } from './schema';

type Portal = components['schemas']['Session']['portal'] | null;

export interface Connection {
  isReachable: boolean;
  /** A request was refused for want of a session, after there had been one. */
  isExpired: boolean;
  /** The cookie is of another session than the one that this page knows: it is to be asked for anew. */
  isOfOtherSession: boolean;
  /** The one in the address. */
  namespace: string | null;
  /** A platform key acts for any namespace; any other has its own, whatever the address says. */
  isPlatform: boolean;
  csrfToken: string | null;
  /** Of the portal link whose session was signed out last: the way back to where the link was given. */
  leftPortal: Portal;
}

let state: Connection = {
  isReachable: true,
  isExpired: false,
  isOfOtherSession: false,
  namespace: null,
  isPlatform: false,
  csrfToken: null,
  leftPortal: null,
};
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

/** The namespace that a request must name; null when the key has its own. */
export function namedNamespace(): string | null {
  return state.isPlatform ? state.namespace : null;
}

/**
 * What each request says of whom it is from and for: the page's session, so that it is not shown what another session
 * sees, and the namespace of a platform key.
 */
export function whoHeaders(): Record<string, string> {
  const namespace = namedNamespace();
  const { csrfToken } = state;
  return {
    ...(csrfToken ? { 'x-csrf-token': csrfToken } : {}),
    ...(namespace ? { 'x-exosphere-namespace': headerText(namespace) } : {}),
  };
}

/** A name as a header can carry it: its bytes in UTF-8, since a browser sends no other characters. */
function headerText(name: string): string {
  return String.fromCharCode(...new TextEncoder().encode(name));
}

export function useConnection(): Connection {
  return useSyncExternalStore(connection.subscribe, connection.get);
}
