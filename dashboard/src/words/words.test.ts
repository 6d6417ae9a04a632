import { describe, expect, test } from 'vitest';
import type { AuditEntry, Delivery } from '@/api/types';
import { auditSentence, changesOf, untoldFields } from './audit';
import { curlOf } from './curl';
import { groupDeadLetters, timelineOf, verdictSentence } from './delivery';
import { explainCondition, splitAnd } from './explain';
import { plainSentence, readCondition, ruleSentence, writeCondition } from './rule';
import { headerNamesOf, snippetsFor } from './verification';

const sentence = (...of: Parameters<typeof ruleSentence>) => plainSentence(ruleSentence(...of));

describe('a rule as a sentence', () => {
  test('on each event, with condition and limit', () => {
    const rule = {
      event_type: 'workflow.failed',
      condition: 'event.data.errored_count > 3',
      rate_limit: { per_minute: 10 },
    };
    expect(sentence(rule, '#oncall')).toBe(
      'When workflow.failed and errored_count > 3, tell #oncall, at most 10 a minute.',
    );
  });
  test('on a duration', () => {
    const trigger = { type: 'duration', threshold_ms: 900_000 };
    expect(sentence({ event_type: 'workflow.duration_exceeded', trigger }, 'x')).toBe(
      'When a run is still going after 15 minutes, tell x.',
    );
  });
  test('on a count, by group', () => {
    const trigger = { type: 'threshold', window_ms: 600_000, count: 3, group_by: ['graph_name'] };
    expect(sentence({ event_type: 'workflow.failed', trigger }, 'x')).toBe(
      'When more than 3 × workflow.failed within 10 minutes, for each graph_name, tell x.',
    );
  });
  test('on a share', () => {
    const trigger = {
      type: 'threshold',
      window_ms: 3_600_000,
      ratio: { above: 0.2, of: [], last: 50, min_total: 10 },
    };
    expect(sentence({ event_type: 'workflow.failed', trigger }, 'x')).toBe(
      'When more than 20% of events are workflow.failed within 1 hour, tell x.',
    );
  });
  test('other languages are named', () => {
    const condition = { language: 'jsonlogic', source: { '>': [1, 2] } as never };
    expect(sentence({ event_type: 'a', condition }, 'x')).toBe(
      'When a and jsonlogic: {">":[1,2]}, tell x.',
    );
  });
  test('a condition is written as it was read', () => {
    for (const condition of [
      'event.a > 1',
      { language: 'jsonlogic', source: { '>': [1, 2] } as never },
      null,
    ]) {
      const { language, source } = readCondition(condition);
      expect(writeCondition(language, source)).toEqual(condition);
    }
  });
});

describe('why a condition said no', () => {
  const event = {
    type: 'workflow.failed',
    data: { errored_count: 2, graph_name: 'etl && more', nested: { ok: false } },
  };
  test('the first part that is not met is told with its value', () => {
    expect(explainCondition('event.data.errored_count > 3', event)).toBe(
      'errored_count is 2; needs > 3',
    );
    expect(
      explainCondition('event.type == "workflow.failed" && event.data.errored_count >= 5', event),
    ).toBe('errored_count is 2; needs >= 5');
    expect(explainCondition("event.data.graph_name == 'x'", event)).toBe(
      'graph_name is “etl && more”; needs “x”',
    );
    expect(explainCondition('event.data.nested.ok == true', event)).toBe(
      'nested.ok is false; needs true',
    );
  });
  test('a field that is not there is named', () => {
    expect(explainCondition('event.data.node_name == "load"', event)).toBe(
      'node_name is not in this event; needs “load”',
    );
  });
  test('what is not a plain comparison is not guessed at', () => {
    expect(
      explainCondition('event.data.errored_count > 3 || event.data.errored_count > 9', event),
    ).toBeNull();
    expect(explainCondition('size(event.data.graph_name) > 100', event)).toBeNull();
    expect(explainCondition('event.data.graph_name > 3', event)).toBeNull();
    expect(explainCondition('event.__proto__.x == 1', event)).toBe(
      '__proto__.x is not in this event; needs 1',
    );
  });
  test('texts and brackets are not cut', () => {
    expect(splitAnd('a == "x && y" && (b && c)')).toEqual(['a == "x && y"', '(b && c)']);
  });
});

const attempt = (number: number, started_at: string, duration_ms: number, status_code: number) =>
  ({
    number,
    started_at,
    duration_ms,
    status_code,
    verdict: status_code < 300 ? 'delivered' : 'retry',
    plugin_digest: '',
    endpoint_version: 1,
    exchanges: [],
  }) as unknown as NonNullable<Delivery['attempts']>[number];

const delivery = (change: Partial<Delivery>): Delivery =>
  ({
    id: 'dlv_1',
    event_id: 'evt_1',
    rule_name: 'r',
    trigger: {},
    webhook_endpoint_id: 'wh_1',
    status: 'scheduled',
    attempt_count: 0,
    created_at: '2026-11-27T22:00:00Z',
    ...change,
  }) as unknown as Delivery;

describe('a delivery', () => {
  test('its verdict is one sentence', () => {
    const attempts = [
      attempt(1, '2026-11-27T22:00:00Z', 1_200, 503),
      attempt(2, '2026-11-27T22:00:09.2Z', 184, 200),
    ];
    expect(
      verdictSentence(delivery({ status: 'delivered', attempt_count: 2, attempts }), '#oncall'),
    ).toBe('#oncall answered 200 in 184 ms at attempt 2.');
    expect(
      verdictSentence(
        delivery({
          status: 'dead',
          attempt_count: 1,
          last_error: 'gave up after 1 attempt: status 503',
        }),
        'x',
      ),
    ).toBe('Not delivered to x after 1 attempt: status 503.');
    expect(verdictSentence(delivery({}), 'x')).toBe('Waiting for its turn at x.');
  });
  test('its timeline has the waits between attempts, and what comes next', () => {
    const attempts = [
      attempt(1, '2026-11-27T22:00:00.010Z', 1_200, 503),
      attempt(2, '2026-11-27T22:00:09.210Z', 184, 503),
    ];
    const steps = timelineOf(delivery({ attempts, next_attempt_at: '2026-11-27T22:01:00Z' }));
    expect(steps.map((step) => step.kind)).toEqual(['made', 'attempt', 'wait', 'attempt', 'next']);
    expect(steps[2]).toEqual({ kind: 'wait', ms: 8_000 });
  });
  test('dead letters are grouped by webhook and reason, whatever the count of attempts', () => {
    const letter = (id: string, last_error: string, created_at: string) => ({
      id,
      webhook_endpoint_id: 'wh_1',
      last_error,
      created_at,
    });
    const groups = groupDeadLetters([
      letter('a', 'gave up after 3 attempts: status 503', '2026-11-27T22:00:00Z'),
      letter('b', 'status 410', '2026-11-27T22:00:00Z'),
      letter('c', 'gave up after 9 attempts: status 503', '2026-11-27T21:00:00Z'),
    ]);
    expect(groups.map(({ reason, ids }) => [reason, ids])).toEqual([
      ['status 503', ['a', 'c']],
      ['status 410', ['b']],
    ]);
    expect(groups[0]?.oldest).toBe('2026-11-27T21:00:00Z');
  });
});

test('a curl command keeps quotes and lines as one argument', () => {
  const command = curlOf({
    method: 'POST',
    url: 'http://x/',
    headers: [['a', "it's"]],
    body: '{"a":"$HOME `x`"}',
  });
  expect(command).toContain(`-H 'a: it'\\''s'`);
  expect(command).toContain(`--data-raw '{"a":"$HOME \`x\`"}'`);
});

test('verification code names the header that the endpoint sends', () => {
  const names = headerNamesOf([
    ['content-type', 'x'],
    ['x-mine', 't=17,v1=ab'],
  ]);
  for (const { code } of snippetsFor(names)) expect(code).toContain('x-mine');
  expect(headerNamesOf([]).signature).toBe('x-exosphere-signature');
});

describe('audit', () => {
  const entry = (action: string, detail: object) =>
    ({ seq: 1, action, detail }) as unknown as AuditEntry;
  test('reads as a sentence', () => {
    expect(
      auditSentence(entry('alert_rule.updated', { name: 'On failure', changed: ['condition'] })),
    ).toBe('changed the rule “On failure”: condition');
    expect(auditSentence(entry('webhook.secret_rotated', {}))).toBe(
      'rotated the secret of the webhook',
    );
  });
  test('switching is told as that, and what was sent again too', () => {
    const detail = { name: 'Any', changed: ['is_active'], after: { is_active: false } };
    expect(auditSentence(entry('alert_rule.updated', detail))).toBe('switched off the rule “Any”');
    const disabled = { name: 'Any', reason: 'gone', delivery: 'dlv_1' };
    expect(auditSentence(entry('alert_rule.disabled', disabled))).toBe(
      'switched off the rule “Any”',
    );
    expect(auditSentence(entry('dead_letters.redriven', {}))).toBe('sent dead letters again');
  });
  test('only what differs is a change', () => {
    expect(
      changesOf(entry('x.updated', { before: { a: 1, b: 2 }, after: { a: 1, b: 3 } })),
    ).toEqual([{ field: 'b', before: 2, after: 3 }]);
    const cel = (source: string) => ({ language: 'cel', source });
    const made = entry('x.created', { name: 'X', after: { condition: cel('a > 1'), limit: null } });
    expect(changesOf(made)).toEqual([{ field: 'condition', before: undefined, after: 'a > 1' }]);
  });
  test('what the log is not told is named', () => {
    const detail = { changed: ['name', 'secrets'], before: { name: 'a' }, after: { name: 'b' } };
    expect(untoldFields(entry('webhook.updated', detail))).toEqual(['secrets']);
  });
  test('plugins and tenants are known by their id', () => {
    const limited = { ...entry('plugin.limited', { changed: ['fuel'] }), resource: 'http' };
    expect(auditSentence(limited)).toBe('changed the limits of the plugin “http”: fuel');
  });
});
