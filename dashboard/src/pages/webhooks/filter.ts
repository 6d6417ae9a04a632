import type { Endpoint } from '@/api/types';
import { isTroubled } from '@/api/webhooks';

export interface EndpointFilter {
  q?: string;
  state?: string;
  target?: string;
}

export function filterEndpoints(
  endpoints: Endpoint[],
  { q, state, target }: EndpointFilter,
): Endpoint[] {
  const needle = q?.toLowerCase();
  return endpoints.filter((endpoint) => {
    if (target && endpoint.target !== target) return false;
    if (state === 'on' && !endpoint.is_active) return false;
    if (state === 'off' && endpoint.is_active) return false;
    if (state === 'open' && !isTroubled(endpoint)) return false;
    if (!needle) return true;
    return [endpoint.name, endpoint.target_url, endpoint.id].some((text) =>
      text.toLowerCase().includes(needle),
    );
  });
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    // A masked URL is not one that reads.
    return url;
  }
}
