/** What a rule's form holds, and how it becomes what the API takes. */
import type { NewRule, RetryPolicy, Rule, Trigger } from '@/api/types';
import { parseDuration, writeDuration } from '@/format/duration';
import { listIn } from '@/format/list';
import { percentOf } from '@/format/number';
import { rateLimitOf } from '../rate-limit';
import { readCondition, writeCondition } from '@/words/rule';

export type TriggerKind = 'event' | 'count' | 'ratio' | 'duration';

export interface Draft {
  name: string;
  eventType: string;
  language: string;
  source: string;
  endpointId: string;
  kind: TriggerKind;
  count: string;
  window: string;
  groupBy: string;
  cooldown: string;
  /** In percent. */
  ratioAbove: string;
  ratioOf: string;
  threshold: string;
  perMinute: string;
  /** What the form has no field for, and a save must keep. */
  burst: number | null;
  maxRetries: string;
  retryPolicy: RetryPolicy | null;
}

export const emptyDraft: Draft = {
  name: '',
  eventType: 'workflow.failed',
  language: 'cel',
  source: '',
  endpointId: '',
  kind: 'event',
  count: '3',
  window: '10m',
  groupBy: '',
  cooldown: '',
  ratioAbove: '20',
  ratioOf: 'workflow.succeeded, workflow.failed',
  threshold: '15m',
  perMinute: '',
  burst: null,
  maxRetries: '',
  retryPolicy: null,
};

export function draftOf(rule: Rule): Draft {
  const { trigger } = rule;
  const condition = readCondition(rule.condition);
  return {
    ...emptyDraft,
    name: rule.name,
    eventType: rule.event_type,
    language: condition.language,
    source: condition.source,
    endpointId: rule.webhook_endpoint_id,
    kind: kindOf(trigger),
    count: trigger.count != null ? String(trigger.count) : emptyDraft.count,
    window: trigger.window_ms != null ? writeDuration(trigger.window_ms) : emptyDraft.window,
    groupBy: (trigger.group_by ?? []).join(', '),
    cooldown: trigger.cooldown_ms != null ? writeDuration(trigger.cooldown_ms) : '',
    ratioAbove: trigger.ratio ? percentOf(trigger.ratio.above) : emptyDraft.ratioAbove,
    ratioOf: trigger.ratio?.of?.join(', ') ?? emptyDraft.ratioOf,
    threshold:
      trigger.threshold_ms != null ? writeDuration(trigger.threshold_ms) : emptyDraft.threshold,
    perMinute: rule.rate_limit ? String(rule.rate_limit.per_minute) : '',
    burst: rule.rate_limit?.burst ?? null,
    maxRetries: rule.retry_policy.max_retries != null ? String(rule.retry_policy.max_retries) : '',
    retryPolicy: rule.retry_policy,
  };
}

function kindOf(trigger: Trigger): TriggerKind {
  if (trigger.type === 'duration') return 'duration';
  if (trigger.type !== 'threshold') return 'event';
  return trigger.ratio ? 'ratio' : 'count';
}

/** The trigger, or what is wrong in its fields. `kept` carries what the form has no field for. */
export function triggerOf(
  draft: Draft,
  kept?: Trigger,
): { trigger: Trigger } | { errors: Partial<Record<keyof Draft, string>> } {
  const errors: Partial<Record<keyof Draft, string>> = {};
  const duration = (field: 'window' | 'cooldown' | 'threshold') => {
    const ms = parseDuration(draft[field]);
    if (ms === null || ms <= 0) errors[field] = 'Write a time like 15m, 2h or 1h 30m.';
    return ms ?? 0;
  };
  const done = (trigger: Trigger) => (Object.keys(errors).length > 0 ? { errors } : { trigger });
  if (draft.kind === 'event') return done({ type: 'event' });
  if (draft.kind === 'duration')
    return done({ type: 'duration', threshold_ms: duration('threshold') });
  const same = kept?.type === 'threshold' ? kept : undefined;
  const base: Trigger = {
    type: 'threshold',
    window_ms: duration('window'),
    ...(draft.groupBy.trim() ? { group_by: listIn(draft.groupBy) } : {}),
    ...(draft.cooldown.trim() ? { cooldown_ms: duration('cooldown') } : {}),
    ...(same?.recovery != null ? { recovery: same.recovery } : {}),
  };
  if (draft.kind === 'count') {
    const count = Number(draft.count);
    if (!Number.isInteger(count) || count < 1) errors.count = 'Write a whole number from 1.';
    return done({ ...base, count });
  }
  const above = Number((Number(draft.ratioAbove) / 100).toPrecision(12));
  if (!(above >= 0 && above < 1)) errors.ratioAbove = 'Write a percentage from 0 to 99.';
  return done({ ...base, ratio: { ...same?.ratio, above, of: listIn(draft.ratioOf) } });
}

/** The rule as it is sent; null while a field does not read. */
export function ruleOf(draft: Draft, kept?: Trigger): NewRule | null {
  const read = triggerOf(draft, kept);
  if ('errors' in read) return null;
  const retries = draft.maxRetries === '' ? null : Number(draft.maxRetries);
  const { max_retries: _, ...otherwise } = draft.retryPolicy ?? {};
  const policy = retries === null ? otherwise : { ...otherwise, max_retries: retries };
  return {
    name: draft.name.trim() || 'Untitled rule',
    event_type: draft.kind === 'duration' ? 'workflow.duration_exceeded' : draft.eventType.trim(),
    condition: writeCondition(draft.language, draft.source),
    webhook_endpoint_id: draft.endpointId,
    trigger: read.trigger,
    rate_limit: rateLimitOf(draft),
    retry_policy: policy as RetryPolicy,
  };
}
