/** Why a rule fired for an event or did not, for people. */
import type { RuleOutcome } from '@/api/types';

const REASONS: Record<string, string> = {
  fired: 'Fired',
  rate_limited: 'Fired; the rate limit was used up, so the alert waits',
  condition_false: 'The condition said no',
  condition_error: 'The condition could not be evaluated on this event',
  endpoint_off: 'Its webhook is switched off; the alert was skipped',
  endpoint_deleted: 'Its webhook is gone',
  not_in_rollout: 'Alerts are not open to this namespace yet',
  pending: 'The condition language could not answer yet; it is asked again',
  given_up: 'The condition language could not answer for a week',
  watching: 'The run is being watched',
  ended_in_time: 'The run ended in time',
  no_run: 'The event names no run',
  below_threshold: 'Counted, and not too much yet',
  already_alerted: 'This breach was alerted already',
  recovered: 'Counted; the breach is over',
  duplicate: 'This run was alerted already',
};

/** Why attempts failed, as the statistics count it. */
const FAILURES: Record<string, string> = {
  dns: 'Its host name was not found',
  connect: 'No connection',
  tls: 'TLS failed',
  timeout: 'No answer in time',
  forbidden: 'Its address is not allowed',
  protocol: 'The exchange broke off',
  gone: 'It is gone (404 or 410)',
  rate_limited: 'Too many requests (429)',
  status_3xx: 'A redirect (3xx)',
  status_4xx: 'Refused (4xx)',
  status_5xx: 'An error of its own (5xx)',
  answer: 'An answer that is none',
  plugin: 'The plugin failed',
};

export function failureText(reason: string): string {
  return FAILURES[reason] ?? reason.replaceAll('_', ' ');
}

export function reasonText(outcome: Pick<RuleOutcome, 'reason' | 'detail'>): string {
  const said = REASONS[outcome.reason] ?? outcome.reason.replaceAll('_', ' ');
  return outcome.detail ? `${said}: ${outcome.detail}` : said;
}
