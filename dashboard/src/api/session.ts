/** The session of the person at the browser: who they are to the host, and how far they reach. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, take } from './client';
import { connection } from './connection';
import type { components } from './schema';
import type { Role } from './types';

export type Session = components['schemas']['Session'];

const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, platform: 3 };

const SESSION = ['session'];

export const sessionQuery = queryOptions({
  queryKey: SESSION,
  queryFn: async ({ client }): Promise<Session> => {
    const session = await take(api.GET('/v1/session'));
    const before = client.getQueryData<Session>(SESSION);
    // Somebody of another namespace sees nothing of what the one before saw.
    if (before && before.namespace !== session.namespace)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION[0] });
    connection.set({
      csrfToken: session.csrf_token,
      isPlatform: session.namespace == null,
      isExpired: false,
      isOfOtherSession: false,
      leftPortal: null,
    });
    return session;
  },
  staleTime: 60_000,
  retry: false,
});

export const signIn = (apiKey: string) => take(api.POST('/v1/session', { body: { key: apiKey } }));

/** Opens a session by what a portal link has after its `#`. */
export const openLink = (token: string) =>
  take(api.POST('/v1/session', { body: { portal_token: token } }));

export const signOut = () => {
  const token = connection.get().csrfToken ?? '';
  return take(api.DELETE('/v1/session', { params: { header: { 'x-csrf-token': token } } }));
};

export function useRole(): Role {
  return useQuery(sessionQuery).data?.role ?? 'viewer';
}

/** Whether the person may do what the role may. The server decides; this only decides what is offered. */
export function useMay(role: Role): boolean {
  return RANK[useRole()] >= RANK[role];
}
