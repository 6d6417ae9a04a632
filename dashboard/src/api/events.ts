/** Events: read, with what became of each rule, and posted. */
import { queryOptions } from '@tanstack/react-query';
import { api, take } from './client';
import { key } from './keys';
import type { CloudEvent } from './types';

export interface EventFilters {
  type?: string;
  from?: string;
  to?: string;
}

export const fetchEvents = (filters: EventFilters, cursor?: string, limit = 100) =>
  take(api.GET('/v1/events', { params: { query: { ...filters, cursor, limit } } }));

export const newestEventsQuery = (filters: EventFilters, limit: number) =>
  queryOptions({
    queryKey: key('events', 'newest', filters, limit),
    queryFn: () => fetchEvents(filters, undefined, limit),
  });

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: key('events', id),
    queryFn: () => take(api.GET('/v1/events/{id}', { params: { path: { id } } })),
  });

export const postEvent = (event: CloudEvent) =>
  take(
    api.POST('/v1/events', {
      body: event as never,
      headers: { 'content-type': 'application/cloudevents+json' },
    }),
  );
