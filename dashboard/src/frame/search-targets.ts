/** What a search leads to: ids go straight to their page, words to the webhooks and rules that hold them. */
import type { Endpoint, Rule } from '@/api/types';

export interface Target {
  id: string;
  kind: 'Webhook' | 'Rule' | 'Delivery' | 'Event' | 'Run';
  name: string;
  to: '/webhooks/$id' | '/rules/$id' | '/deliveries/$id' | '/events/$id';
}

const BY_PREFIX: Record<string, Pick<Target, 'kind' | 'to'>> = {
  wh: { kind: 'Webhook', to: '/webhooks/$id' },
  rule: { kind: 'Rule', to: '/rules/$id' },
  dlv: { kind: 'Delivery', to: '/deliveries/$id' },
  evt: { kind: 'Event', to: '/events/$id' },
};

/** Enough to choose from without scrolling. */
const SHOWN = 8;

export function searchTargets(text: string, endpoints: Endpoint[], rules: Rule[]): Target[] {
  const needle = text.trim().toLowerCase();
  if (needle === '') return [];
  const id = /^(wh|rule|dlv|evt)_[0-9a-z]+$/.exec(needle);
  const byId = id && BY_PREFIX[id[1] ?? ''];
  const direct: Target[] = byId ? [{ ...byId, id: needle, name: needle }] : [];
  const has = (each: { id: string; name: string }) =>
    each.id !== needle && (each.name.toLowerCase().includes(needle) || each.id.includes(needle));
  const named = (list: { id: string; name: string }[], prefix: 'wh' | 'rule') =>
    list
      .filter(has)
      .slice(0, SHOWN)
      .map((each) => ({ ...BY_PREFIX[prefix], id: each.id, name: each.name }) as Target);
  return [...direct, ...named(endpoints, 'wh'), ...named(rules, 'rule')].slice(0, SHOWN);
}

/** Of newest events, those whose run, graph or own id holds the text. */
export function eventTargets(text: string, events: { id: string; event: unknown }[]): Target[] {
  const needle = text.trim().toLowerCase();
  if (needle.length < 3) return [];
  return events
    .map((stored) => ({ stored, names: namesOf(stored.event) }))
    .filter(({ names }) => names.some((name) => name.toLowerCase().includes(needle)))
    .slice(0, SHOWN)
    .map(({ stored, names }) => ({
      id: stored.id,
      kind: 'Run' as const,
      name: names.join(' · '),
      to: '/events/$id' as const,
    }));
}

function namesOf(event: unknown): string[] {
  const record = event as { id?: unknown; data?: { run_id?: unknown; graph_name?: unknown } };
  const { graph_name: graph, run_id: run } = record.data ?? {};
  return [graph, run ?? record.id].filter((each) => typeof each === 'string');
}
