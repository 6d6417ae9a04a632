/** What a webhook's form holds, and how it becomes what the API takes. */
import type { Endpoint, EndpointPatch, NewEndpoint, TargetManifest } from '@/api/types';
import { rateLimitOf } from '../rate-limit';
import { hostOf } from './filter';

export interface Draft {
  target: string;
  url: string;
  /** Null until the person writes one; then it is proposed no more. */
  name: string | null;
  settings: Record<string, unknown>;
  secrets: Record<string, string>;
  headers: string;
  perMinute: string;
  /** What the form has no field for, and a save must keep. */
  burst: number | null;
  goneAfter: string;
  includeData: boolean;
}

export const emptyDraft: Draft = {
  target: 'http',
  url: '',
  name: null,
  settings: {},
  secrets: {},
  headers: '',
  perMinute: '',
  burst: null,
  goneAfter: '',
  includeData: false,
};

export function draftOf(endpoint: Endpoint, manifest: TargetManifest): Draft {
  return {
    target: endpoint.target,
    // A masked URL would be saved as it is shown; empty means that it stays.
    url: manifest.url_is_secret ? '' : endpoint.target_url,
    name: endpoint.name,
    settings: (endpoint.settings ?? {}) as Record<string, unknown>,
    secrets: {},
    headers: Object.entries(endpoint.headers ?? {})
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    perMinute: endpoint.rate_limit ? String(endpoint.rate_limit.per_minute) : '',
    burst: endpoint.rate_limit?.burst ?? null,
    goneAfter: endpoint.gone_after === 1 ? '' : String(endpoint.gone_after),
    includeData: endpoint.include_event_data,
  };
}

/** A name from the URL: who reads a list of webhooks looks for the host. */
export function proposedName(draft: Draft): string {
  if (draft.name !== null) return draft.name;
  const host = draft.url ? hostOf(draft.url) : '';
  if (draft.target === 'slack') return 'Slack';
  if (draft.target === 'pagerduty') return 'PagerDuty';
  return host.includes('/') ? '' : host;
}

/** What is wrong with the lines of headers, if anything is. */
export function headersProblem(text: string): string | undefined {
  const names = new Set<string>();
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [name = '', ...rest] = line.split(':');
    if (rest.length === 0) return `“${line.trim()}” has no colon: write Name: value.`;
    if (names.has(name.trim().toLowerCase())) return `${name.trim()} is there twice.`;
    names.add(name.trim().toLowerCase());
  }
  return undefined;
}

export function parseHeaders(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return colon < 0
        ? [line.trim(), '']
        : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

function shared(draft: Draft) {
  const secrets = Object.fromEntries(
    Object.entries(draft.secrets).filter(([, value]) => value !== ''),
  );
  return {
    name: proposedName(draft).trim(),
    settings: draft.settings as never,
    headers: parseHeaders(draft.headers),
    rate_limit: rateLimitOf(draft),
    gone_after: draft.goneAfter === '' ? 1 : Number(draft.goneAfter),
    include_event_data: draft.includeData,
    ...(Object.keys(secrets).length > 0 ? { secrets } : {}),
    ...(draft.url.trim() === '' ? {} : { target_url: draft.url.trim() }),
  };
}

export const newEndpointOf = (draft: Draft): NewEndpoint => ({
  ...shared(draft),
  target: draft.target,
});

export const patchOf = (draft: Draft): EndpointPatch => shared(draft);
