import { describe, expect, test } from 'vitest';
import { problemOf } from '@/api/problem';
import type { Stat } from '@/api/stats';
import type { Delivery, Endpoint, Rule } from '@/api/types';
import { searchTargets } from '@/frame/search-targets';
import { cleaned, forForm, isFormable } from '@/settings-form/schema';
import { pretty, visible } from '@/ui/stranger-text';
import { appendOlder, patchChanged, reaches, withTop } from './deliveries/merge';
import { headline } from './overview/headline';
import { bucketsOf } from './rules/buckets';
import { draftOf, emptyDraft, ruleOf, triggerOf } from './rules/draft';
import {
  emptyDraft as emptyWebhook,
  headersProblem,
  newEndpointOf,
  parseHeaders,
  proposedName,
} from './webhooks/draft';
import { answersOf, countsOf } from './webhooks/answered';
import { filterEndpoints } from './webhooks/filter';
import { formProblem } from './webhooks/use-try-draft';

const delivery = (id: string, status = 'scheduled') =>
  ({ id, status, attempt_count: 0 }) as unknown as Delivery;
const ids = (list: Delivery[]) => list.map((each) => `${each.id}:${each.status}`);

describe('a long list of deliveries', () => {
  const all = (items: Delivery[]) => ({ items, cursor: null });
  test('new ones come first, changed ones stay in place', () => {
    const list = { items: [delivery('b'), delivery('a')], cursor: 'older' };
    const top = { items: [delivery('c'), delivery('b', 'delivered')], cursor: 'more' };
    const { items, cursor } = withTop(list, top);
    expect(ids(items)).toEqual(['c:scheduled', 'b:delivered', 'a:scheduled']);
    expect(cursor).toBe('older');
  });
  test('what is the same is the same object, so that its row is not drawn anew', () => {
    const list = [delivery('b'), delivery('a')];
    const { items } = withTop(all(list), { items: [delivery('b')], cursor: 'more' });
    expect(items.every((each, i) => each === list[i])).toBe(true);
    expect(patchChanged(list, [{ id: 'other' }])).toBe(list);
  });
  test('a top that does not reach the list takes its place: there is never a gap in it', () => {
    const list = all([delivery('b'), delivery('a')]);
    const top = { items: [delivery('f'), delivery('e')], cursor: 'between' };
    expect(reaches(list.items, top)).toBe(false);
    expect(withTop(list, top)).toEqual(top);
  });
  test('what matches no more is gone, at the top and when there is nothing older', () => {
    const list = { items: [delivery('c'), delivery('b'), delivery('a')], cursor: 'older' };
    const top = { items: [delivery('d'), delivery('b')], cursor: 'more' };
    expect(ids(withTop(list, top).items)).toEqual(['d:scheduled', 'b:scheduled', 'a:scheduled']);
    expect(ids(withTop(list, all([delivery('b')])).items)).toEqual(['b:scheduled']);
    expect(withTop(list, all([])).items).toEqual([]);
  });
  test('a page that overlaps is not shown twice', () => {
    expect(ids(appendOlder([delivery('b')], [delivery('b'), delivery('a')]))).toEqual([
      'b:scheduled',
      'a:scheduled',
    ]);
  });
});

describe('a rule’s form', () => {
  test('a field that does not read keeps the rule from being sent', () => {
    const draft = { ...emptyDraft, kind: 'count' as const, window: 'soon' };
    expect(triggerOf(draft)).toEqual({
      errors: { window: 'Write a time like 15m, 2h or 1h 30m.' },
    });
    expect(ruleOf(draft)).toBeNull();
  });
  test('what the form has no field for is kept', () => {
    const kept = {
      type: 'threshold',
      window_ms: 1,
      recovery: true,
      ratio: { above: 0.1, of: [], last: 50, min_total: 7 },
    };
    const read = triggerOf({ ...emptyDraft, kind: 'ratio' }, kept);
    expect(read).toMatchObject({
      trigger: { recovery: true, ratio: { above: 0.2, last: 50, min_total: 7 } },
    });
  });
  test('what was saved is saved again as it was, to the last digit', () => {
    const rule = {
      name: 'Rare',
      event_type: 'workflow.failed',
      webhook_endpoint_id: 'wh_1',
      trigger: { type: 'threshold', window_ms: 60_000, ratio: { above: 0.33333, of: ['a'] } },
      rate_limit: { per_minute: 10, burst: 17 },
      retry_policy: { max_retries: 3, max_delay_ms: 9_000 },
    } as unknown as Rule;
    const saved = ruleOf(draftOf(rule), rule.trigger);
    expect(saved?.trigger).toEqual(rule.trigger);
    expect(saved?.rate_limit).toEqual(rule.rate_limit);
    expect(saved?.retry_policy).toEqual(rule.retry_policy);
    // Cleared, it is the host's own number again.
    const cleared = ruleOf({ ...draftOf(rule), maxRetries: '' }, rule.trigger);
    expect(cleared?.retry_policy).toEqual({ max_delay_ms: 9_000 });
  });
  test('bars hold each alert once, the late ones at the edge', () => {
    const buckets = bucketsOf(
      [
        { event_id: 'a', at: '1970-01-01T00:00:00.005Z' },
        { event_id: 'b', at: '1970-01-01T00:00:09Z' },
      ],
      0,
      10,
      2,
    );
    expect(buckets.map((bucket) => bucket.value)).toEqual([0, 2]);
  });
});

describe('a webhook’s form', () => {
  test('the name is proposed from the URL until one is written', () => {
    expect(proposedName({ ...emptyWebhook, url: 'https://example.com/hook' })).toBe('example.com');
    expect(proposedName({ ...emptyWebhook, url: 'https://example.com/hook', name: '' })).toBe('');
  });
  test('secrets that are empty are not sent', () => {
    expect(newEndpointOf({ ...emptyWebhook, secrets: { token: '' } })).not.toHaveProperty(
      'secrets',
    );
  });
  test('a line of headers that cannot be sent is told', () => {
    expect(headersProblem('a: b\n\nc: d: e')).toBeUndefined();
    expect(headersProblem('a: b\nplain')).toBe('“plain” has no colon: write Name: value.');
    expect(headersProblem('X-Team: b\nx-team: c')).toBe('x-team is there twice.');
  });
  test('headers are one a line', () =>
    expect(parseHeaders('a: b\n\nc:d: e')).toEqual({ a: 'b', c: 'd: e' }));
  test('filters', () => {
    const endpoints = [
      {
        id: 'wh_1',
        name: 'On call',
        target: 'http',
        target_url: 'https://a',
        is_active: true,
        circuit: { state: 'open' },
      },
      {
        id: 'wh_2',
        name: 'Old',
        target: 'slack',
        target_url: '***',
        is_active: false,
        circuit: { state: 'open' },
      },
    ] as unknown as Endpoint[];
    expect(filterEndpoints(endpoints, { q: 'ON C' })).toHaveLength(1);
    expect(filterEndpoints(endpoints, { state: 'off' })[0]?.id).toBe('wh_2');
    expect(filterEndpoints(endpoints, { target: 'http', state: 'off' })).toEqual([]);
    // One that is switched off waits for nothing.
    expect(filterEndpoints(endpoints, { state: 'open' }).map(({ id }) => id)).toEqual(['wh_1']);
  });
});

test('answers are added up by code, with attempts that had none', () => {
  const stats = [
    { attempts: 3, status_codes: { '200': 1, '503': 1 }, event_types: { '*': 2 } },
    { attempts: 1, status_codes: { '200': 1 } },
  ] as unknown as Stat[];
  expect(answersOf(stats)).toEqual([
    { name: '200', count: 2, tone: 'success' },
    { name: '503', count: 1, tone: 'danger' },
    { name: 'no answer', count: 1, tone: 'danger' },
  ]);
  expect(countsOf(stats, (stat) => stat.event_types)).toEqual([{ name: 'others', count: 2 }]);
  // A host of an earlier release counts no codes.
  expect(answersOf([{ attempts: 2 }] as unknown as Stat[])).toEqual([]);
});

test('what is wrong with a draft stands at the form’s own fields', () => {
  const problem = problemOf(400, {
    errors: [{ pointer: '/webhook/target_url', detail: 'is private' }],
  });
  const body = { webhook: newEndpointOf(emptyWebhook) };
  expect(formProblem(problem, body)?.at('/target_url')).toBe('is private');
  expect(formProblem(new Error('away'), body)).toBeNull();
});

describe('settings of plugins', () => {
  test('what no form can show is edited as JSON', () => {
    expect(isFormable({ type: 'object', properties: { a: { type: 'string' } } })).toBe(true);
    expect(isFormable({ type: 'array' })).toBe(false);
    expect(isFormable({ type: 'object', properties: { a: { $ref: '#/x' } } })).toBe(false);
    expect(isFormable({ oneOf: [] })).toBe(false);
  });
  test('an optional choice may stay unmade', () => {
    const schema = forForm({
      type: 'object',
      properties: { auth: { oneOf: [{ title: 'Bearer' }] } },
    });
    expect(JSON.stringify(schema)).toContain('"None"');
  });
  test('what was left empty is not sent', () =>
    expect(cleaned({ a: '', b: null, c: { d: 1, e: undefined } })).toEqual({ c: { d: 1 } }));
});

test('a search by id leads to its page, also of what is not loaded', () => {
  expect(searchTargets('dlv_01abc', [], [])[0]).toMatchObject({
    kind: 'Delivery',
    to: '/deliveries/$id',
  });
  const rules = [{ id: 'rule_1', name: 'On failure' }] as Rule[];
  expect(searchTargets('FAIL', [], rules).map((target) => target.id)).toEqual(['rule_1']);
});

test('the overview says in one sentence how it is', () => {
  const totals = { events: 0, delivered: 1_204, dead: 0, attempts: 0, failed: 0, p99: 400 };
  expect(headline(totals, 0)).toBe('All good: 1,204 alerts in 24 h, 100% delivered, p99 400 ms');
  expect(headline(totals, 2)).toBe('2 things need you');
});

test('signs that turn text around are made visible, and JSON is indented only when it is', () => {
  expect(visible('a\u202eb')).toBe('a‹U+202E›b');
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty('{broken')).toBe('{broken');
});
