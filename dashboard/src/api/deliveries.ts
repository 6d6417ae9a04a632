/** Deliveries and dead letters: read, retried, canceled, redriven. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, take } from './client';
import { PAGE_LIMIT } from './every-page';
import { key } from './keys';
import type { DeliveryStatus } from './types';

export interface DeliveryFilters {
  status?: DeliveryStatus;
  alert_rule_id?: string;
  webhook_endpoint_id?: string;
  event_id?: string;
  from?: string;
  to?: string;
}

export const fetchDeliveries = (filters: DeliveryFilters, cursor?: string, limit = PAGE_LIMIT) =>
  take(api.GET('/v1/deliveries', { params: { query: { ...filters, cursor, limit } } }));

export const deliveriesQuery = (filters: DeliveryFilters, limit: number) =>
  queryOptions({
    queryKey: key('deliveries', 'newest', filters, limit),
    queryFn: () => fetchDeliveries(filters, undefined, limit),
  });

export const fetchDelivery = (id: string) =>
  take(api.GET('/v1/deliveries/{id}', { params: { path: { id } } }));

export const deliveryQuery = (id: string) =>
  queryOptions({ queryKey: key('deliveries', id), queryFn: () => fetchDelivery(id) });

export interface DeadLetterFilters extends Omit<DeliveryFilters, 'status'> {
  /** Whether they were sent again since. */
  redriven?: boolean;
}

export const fetchDeadLetters = (filters: DeadLetterFilters, cursor?: string, limit = PAGE_LIMIT) =>
  take(api.GET('/v1/dead-letters', { params: { query: { ...filters, cursor, limit } } }));

/** How many deliveries there are in each state, and how many can be sent again. */
export const countsQuery = (filters: Omit<DeliveryFilters, 'status'> = {}) =>
  queryOptions({
    queryKey: key('deliveries', 'counts', filters),
    queryFn: () => take(api.GET('/v1/deliveries/counts', { params: { query: filters } })),
    refetchInterval: 60_000,
  });

export const retryDelivery = (id: string) =>
  take(api.POST('/v1/deliveries/{id}/retry', { params: { path: { id } } }));

export const cancelDelivery = (id: string) =>
  take(api.POST('/v1/deliveries/{id}/cancel', { params: { path: { id } } }));

export const redrive = (ids: string[]) =>
  take(api.POST('/v1/dead-letters/redrive', { body: { ids } }));

export function useDeliveryMutation<A, R>(change: (argument: A) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: key('deliveries') });
      await client.invalidateQueries({ queryKey: key('dead-letters') });
    },
  });
}
