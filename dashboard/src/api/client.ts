/** The client made from the API's description: adds namespace, token and idempotency key, and turns refusals into errors. */
import createClient, { type Middleware } from 'openapi-fetch';
import { connection, whoHeaders } from './connection';
import { OTHER_SESSION, problemOf, Unreachable } from './problem';
import type { paths } from './schema';

const isSession = (request: Request) => new URL(request.url).pathname === '/v1/session';

/** Somebody has signed in anew in another tab: the cookie is no longer of the session that this page knows. */
async function isOfOtherSession(response: Response): Promise<boolean> {
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return problemOf(response.status, problem).kind === OTHER_SESSION;
}

const guard: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(whoHeaders())) request.headers.set(name, value);
    // Which session it is, is what the page asks.
    if (isSession(request) && request.method === 'GET') request.headers.delete('x-csrf-token');
    return request;
  },
  async onResponse({ response, request }) {
    connection.set({ isReachable: true });
    if (response.status === 401 && !isSession(request)) connection.set({ isExpired: true });
    if (response.status === 403 && (await isOfOtherSession(response)))
      connection.set({ isOfOtherSession: true });
    return response;
  },
  onError({ error }) {
    // An abort is ours: the page that asked is gone.
    if (error instanceof DOMException && error.name === 'AbortError') return error;
    connection.set({ isReachable: false });
    return new Unreachable();
  },
};

// Looked up at each call, so that tests can put another `fetch` in place.
export const api = createClient<paths>({ baseUrl: '/', fetch: (request) => fetch(request) });
api.use(guard);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's content, or the problem thrown. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  // Gateways say these when the host behind them is gone.
  if ([502, 503, 504].includes(response.status) && typeof error !== 'object') {
    connection.set({ isReachable: false });
    throw new Unreachable();
  }
  if (!response.ok) throw problemOf(response.status, error);
  return data as T;
}

/** Something with the tag that a change of it must name. */
export interface Tagged<T> {
  value: T;
  etag: string | null;
}

export async function takeTagged<T>(answer: Promise<Answer<T>>): Promise<Tagged<T>> {
  const { response } = await answer;
  return { value: await take(answer), etag: response.headers.get('etag') };
}

export function ifMatch(etag: string | null): Record<string, string> {
  return etag ? { 'if-match': etag } : {};
}

/** A key under which a creation that is sent twice happens once. */
export function idempotencyKey(): string {
  // `randomUUID` is there on secure origins only, and a host may be reached by plain HTTP.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
