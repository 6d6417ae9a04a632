/** Webhook endpoints: read, made, changed, tried. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, idempotencyKey, ifMatch, take, takeTagged } from './client';
import { PAGE_LIMIT, useEveryPage } from './every-page';
import { key } from './keys';
import type { EndpointPatch, NewEndpoint } from './types';

export function useEndpoints() {
  return useEveryPage('webhooks', (cursor) =>
    take(api.GET('/v1/webhooks', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
  );
}

/** Names of endpoints by id, for lists that carry ids. */
export function useEndpointNames(): Map<string, string> {
  const { items } = useEndpoints();
  return useMemo(() => new Map(items.map((e) => [e.id, e.name])), [items]);
}

export const endpointQuery = (id: string) =>
  queryOptions({
    queryKey: key('webhooks', id),
    queryFn: () => takeTagged(api.GET('/v1/webhooks/{id}', { params: { path: { id } } })),
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
