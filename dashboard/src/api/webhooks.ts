/** Webhook endpoints: read, made, changed, tried. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, idempotencyKey, ifMatch, take, takeTagged } from './client';
import { PAGE_LIMIT, useEveryPage } from './every-page';
import { key } from './keys';
import type { Endpoint, EndpointPatch, NewEndpoint, WebhookDraft } from './types';

/** Circuits open and close without a change of the endpoint, which is what the stream tells. */
const CIRCUITS_MS = 15_000;

export function useEndpoints() {
  return useEveryPage(
    'webhooks',
    (cursor) => take(api.GET('/v1/webhooks', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
    { refetchInterval: CIRCUITS_MS },
  );
}

/** Whether alerts to it wait because it does not answer. */
export const isTroubled = ({ circuit, is_active }: Endpoint): boolean =>
  is_active && circuit.state !== 'closed';

/** Names of endpoints by id, for lists that carry ids. */
export function useEndpointNames(): Map<string, string> {
  const { items } = useEndpoints();
  return useMemo(() => new Map(items.map((e) => [e.id, e.name])), [items]);
}

export const endpointQuery = (id: string) =>
  queryOptions({
    queryKey: key('webhooks', id),
    queryFn: () => takeTagged(api.GET('/v1/webhooks/{id}', { params: { path: { id } } })),
    refetchInterval: CIRCUITS_MS,
  });

export const createEndpoint = (body: NewEndpoint, idempotency = idempotencyKey()) =>
  take(
    api.POST('/v1/webhooks', {
      body,
      params: { header: { 'idempotency-key': idempotency } },
    }),
  );

export const changeEndpoint = (id: string, body: EndpointPatch, etag: string | null = null) =>
  take(api.PATCH('/v1/webhooks/{id}', { body, params: { path: { id } }, headers: ifMatch(etag) }));

export const deleteEndpoint = (id: string) =>
  take(api.DELETE('/v1/webhooks/{id}', { params: { path: { id } } }));

export const testEndpoint = (id: string) =>
  take(api.POST('/v1/webhooks/{id}/test', { params: { path: { id } } }));

export const previewEndpoint = (id: string) =>
  take(api.POST('/v1/webhooks/{id}/preview', { params: { path: { id } }, body: {} }));

/** The request that would be sent if the draft were saved as it is. */
export const previewDraft = (body: WebhookDraft, signal?: AbortSignal) =>
  take(api.POST('/v1/webhooks/preview', { body, ...(signal ? { signal } : {}) }));

/** Sends a test to what is not saved. */
export const testDraft = (body: WebhookDraft) => take(api.POST('/v1/webhooks/test', { body }));

export const rotateSecret = (id: string) =>
  take(api.POST('/v1/webhooks/{id}/rotate-secret', { params: { path: { id } } }));

/** A change of an endpoint, after which everything that shows endpoints is read anew. */
export function useEndpointMutation<A, R>(change: (argument: A) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: key('webhooks') }),
  });
}
