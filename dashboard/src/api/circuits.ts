/**
 * Circuit breakers that are not closed. Lists of endpoints do not carry them, so the endpoints are looked at to which
 * something waits after it failed: an open circuit always has such deliveries before it.
 */
import { useQueries, useQuery } from '@tanstack/react-query';
import { deliveriesQuery } from './deliveries';
import type { Endpoint } from './types';
import { endpointQuery } from './webhooks';

/** Each is a request; more than these at once are an outage that shows in every figure. */
const MOST_LOOKED_AT = 20;

/** Endpoints whose circuit is open or probing, by id. */
export function useTroubledEndpoints(): Map<string, Endpoint> {
  const { data } = useQuery(deliveriesQuery({ status: 'scheduled' }, 200));
  const suspects = (data?.data ?? []).filter((delivery) => delivery.attempt_count > 0);
  const ids = [...new Set(suspects.map((delivery) => delivery.webhook_endpoint_id))];
  return useQueries({
    queries: ids.slice(0, MOST_LOOKED_AT).map((id) => endpointQuery(id)),
    combine: (answers) =>
      new Map(
        answers
          .map((answer) => answer.data?.value)
          .filter((endpoint) => endpoint !== undefined)
          .filter((endpoint) => endpoint.circuit && endpoint.circuit.state !== 'closed')
          .map((endpoint) => [endpoint.id, endpoint]),
      ),
  });
}
