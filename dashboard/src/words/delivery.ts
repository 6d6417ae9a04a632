/** What became of a delivery: the verdict in a sentence, and the steps between event and end. */
import type { Attempt, Delivery, DeliveryStatus } from '@/api/types';
import { tookText } from '@/format/duration';
import { plural } from '@/format/number';

export type Tone = 'success' | 'danger' | 'waiting' | 'flight' | 'muted';

export const STATUS: Record<DeliveryStatus, { label: string; tone: Tone }> = {
  scheduled: { label: 'Waiting', tone: 'waiting' },
  leased: { label: 'In flight', tone: 'flight' },
  delivered: { label: 'Delivered', tone: 'success' },
  dead: { label: 'Dead', tone: 'danger' },
  canceled: { label: 'Canceled', tone: 'muted' },
  skipped: { label: 'Skipped', tone: 'muted' },
};

export function verdictSentence(delivery: Delivery, endpoint: string): string {
  const tries = plural(delivery.attempt_count, 'attempt');
  const last = delivery.attempts?.at(-1);
  const answered = last?.status_code != null ? `answered ${last.status_code}` : null;
  switch (delivery.status) {
    case 'delivered': {
      const took = last ? ` in ${tookText(last.duration_ms)}` : '';
      const after = delivery.attempt_count > 1 ? ` at attempt ${delivery.attempt_count}` : '';
      return `${endpoint} ${answered ?? 'took it'}${took}${after}.`;
    }
    case 'dead': {
      const why = reasonOf(delivery.last_error);
      return `Not delivered to ${endpoint} after ${tries}${why ? `: ${why}` : ''}.`;
    }
    case 'scheduled': {
      if (delivery.attempt_count === 0) return `Waiting for its turn at ${endpoint}.`;
      const why = reasonOf(delivery.last_error);
      return `${tries} at ${endpoint} failed${why ? ` (${why})` : ''}; it is tried again.`;
    }
    case 'leased':
      return `On its way to ${endpoint} right now.`;
    case 'canceled':
      return `Canceled before ${endpoint} took it.`;
    default:
      return `Skipped${delivery.last_error ? `: ${delivery.last_error}` : ''}.`;
  }
}

/** The reason without the host's count of attempts before it, which groups would fall apart by. */
export function reasonOf(error: string | null | undefined): string {
  return (error ?? '').replace(/^gave up after \d+ attempts?: /, '').replace(/\.$/, '');
}

export type Step =
  | { kind: 'made'; at: string }
  | { kind: 'attempt'; attempt: Attempt }
  | { kind: 'wait'; ms: number }
  | { kind: 'next'; at: string }
  | { kind: 'ended'; at: string; status: DeliveryStatus };

/** Waits shorter than this are the host's own pace and tell nothing. */
const SHORTEST_WAIT_MS = 100;

/** Event, attempts with the waits between them, and what comes next. */
export function timelineOf(delivery: Delivery): Step[] {
  const steps: Step[] = [{ kind: 'made', at: delivery.created_at }];
  let free = Date.parse(delivery.created_at);
  for (const attempt of delivery.attempts ?? []) {
    const started = Date.parse(attempt.started_at);
    if (started - free > SHORTEST_WAIT_MS) steps.push({ kind: 'wait', ms: started - free });
    steps.push({ kind: 'attempt', attempt });
    free = started + attempt.duration_ms;
  }
  if (delivery.status === 'scheduled' && delivery.next_attempt_at) {
    steps.push({ kind: 'next', at: delivery.next_attempt_at });
  } else if (delivery.finished_at) {
    steps.push({ kind: 'ended', at: delivery.finished_at, status: delivery.status });
  }
  return steps;
}

export interface DeadGroup {
  endpointId: string;
  reason: string;
  ids: string[];
  newest: string;
  oldest: string;
}

/** Dead letters by where they should have gone and why they did not, the largest group first. */
export function groupDeadLetters(
  letters: Pick<Delivery, 'id' | 'webhook_endpoint_id' | 'last_error' | 'created_at'>[],
): DeadGroup[] {
  const groups = new Map<string, DeadGroup>();
  for (const letter of letters) {
    const reason = reasonOf(letter.last_error) || 'no reason was recorded';
    const name = `${letter.webhook_endpoint_id}\n${reason}`;
    const group = groups.get(name);
    if (!group) {
      groups.set(name, {
        endpointId: letter.webhook_endpoint_id,
        reason,
        ids: [letter.id],
        newest: letter.created_at,
        oldest: letter.created_at,
      });
    } else {
      group.ids.push(letter.id);
      if (letter.created_at > group.newest) group.newest = letter.created_at;
      if (letter.created_at < group.oldest) group.oldest = letter.created_at;
    }
  }
  return [...groups.values()].sort((a, b) => b.ids.length - a.ids.length);
}
