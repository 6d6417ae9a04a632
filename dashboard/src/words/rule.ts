/** A rule as a sentence, in parts: what varies is emphasised. */
import { sayDuration } from '@/format/duration';
import { percentOf } from '@/format/number';
import type { Condition, RateLimit, Trigger } from '@/api/types';

export interface Part {
  text: string;
  isVariable: boolean;
}

export interface RuleShape {
  event_type: string;
  condition?: Condition | null | undefined;
  trigger?: Trigger | null | undefined;
  rate_limit?: RateLimit | null | undefined;
}

const say = (text: string): Part => ({ text, isVariable: false });
const vary = (text: string): Part => ({ text, isVariable: true });

/** “When workflow.failed and errored_count > 3, tell #oncall, at most 10 a minute.” */
export function ruleSentence(rule: RuleShape, endpoint: string): Part[] {
  const parts = opening(rule);
  const condition = conditionText(rule.condition);
  if (condition) parts.push(say(' and '), vary(condition));
  parts.push(say(', tell '), vary(endpoint));
  if (rule.rate_limit) {
    parts.push(say(', at most '), vary(`${rule.rate_limit.per_minute} a minute`));
  }
  parts.push(say('.'));
  return parts;
}

function opening({ trigger, event_type }: RuleShape): Part[] {
  switch (trigger?.type) {
    case 'duration':
      return [
        say('When a run is still going after '),
        vary(sayDuration(trigger.threshold_ms ?? 0)),
      ];
    case 'threshold': {
      const within = [say(' within '), vary(sayDuration(trigger.window_ms ?? 0))];
      const groups = (trigger.group_by ?? []).length
        ? [say(', for each '), vary((trigger.group_by ?? []).join(' and '))]
        : [];
      if (trigger.ratio) {
        const share = `${percentOf(trigger.ratio.above)}%`;
        const among = [say('When more than '), vary(share), say(' of events are ')];
        return [...among, vary(event_type), ...within, ...groups];
      }
      const count = [say('When more than '), vary(String(trigger.count ?? 0)), say(' × ')];
      return [...count, vary(event_type), ...within, ...groups];
    }
    default:
      return [say('When '), vary(event_type)];
  }
}

/** A condition as it is read aloud: without the `event.data.` that each field begins with. */
export function conditionText(condition: Condition | null | undefined): string {
  if (condition == null) return '';
  if (typeof condition === 'string') return shorten(condition);
  const { language, source } = condition;
  if (language === 'cel' && typeof source === 'string') return shorten(source);
  const text = typeof source === 'string' ? source : JSON.stringify(source);
  return `${language}: ${text.length > 120 ? `${text.slice(0, 119)}…` : text}`;
}

function shorten(source: string): string {
  const text = source
    .replace(/\bevent\.data\./g, '')
    .replace(/\bevent\./g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

export const plainSentence = (parts: Part[]): string => parts.map((part) => part.text).join('');

/** The language and source of a condition, whichever way it is written. */
export function readCondition(condition: Condition | null | undefined): {
  language: string;
  source: string;
} {
  if (condition == null) return { language: 'cel', source: '' };
  if (typeof condition === 'string') return { language: 'cel', source: condition };
  const source: unknown = condition.source;
  return {
    language: condition.language,
    source: typeof source === 'string' ? source : JSON.stringify(source, null, 2),
  };
}

/** The other way: what is sent. JSONLogic travels as JSON; what is not JSON is sent as text, for the host to refuse. */
export function writeCondition(language: string, source: string): Condition | null {
  if (source.trim() === '') return null;
  if (language === 'cel') return source;
  if (language !== 'jsonlogic') return { language, source: source as never };
  try {
    return { language, source: JSON.parse(source) as never };
  } catch {
    return { language, source: source as never };
  }
}
