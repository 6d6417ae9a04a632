import { expect, test } from 'vitest';
import { MessageParser } from './event-stream';
import { shownPages } from './every-page';
import { problemOf } from './problem';
import { filled, successRate, totalsOf, type Stat } from './stats';

test('messages are put together from pieces, comments left out', () => {
  const parser = new MessageParser();
  expect(parser.push(': hello\n\nevent: deliv')).toEqual([]);
  expect(
    parser.push('ery\nid: 7\ndata: {"id":"dlv_1"}\n\nevent: x\r\ndata: a\r\ndata: b\r\n\r\n'),
  ).toEqual([
    { event: 'delivery', id: '7', data: '{"id":"dlv_1"}' },
    { event: 'x', id: null, data: 'a\nb' },
  ]);
});

test('a refusal is read field by field, and nonsense from a proxy does not break it', () => {
  const problem = problemOf(400, {
    type: 'https://x/problems/invalid-request',
    title: 'T',
    detail: 'D',
    errors: [{ pointer: '/settings/a', detail: 'no' }, 3],
  });
  expect([problem.kind, problem.at('/settings'), problem.at('/name')]).toEqual([
    'invalid-request',
    'no',
    undefined,
  ]);
  expect(problemOf(502, '<html>').title).toBe('The server answered 502');
});

const stat = (at: string, change: Partial<Stat>): Stat =>
  ({
    at,
    events: 0,
    delivered: 0,
    dead: 0,
    attempts: 0,
    failed_attempts: 0,
    failure_reasons: {},
    p50_ms: null,
    p99_ms: null,
    ...change,
  }) as Stat;

test('figures fill each hour, and those outside are left out', () => {
  const now = Date.parse('2026-11-27T22:30:00Z');
  const slots = filled(
    [
      stat('2026-11-27T22:00:00Z', { delivered: 2 }),
      stat('2026-11-27T20:00:00Z', { failed_attempts: 1 }),
      stat('2026-11-20T20:00:00Z', { delivered: 9 }),
    ],
    'hour',
    3,
    now,
  );
  expect(slots.map(({ delivered, failed }) => [delivered, failed])).toEqual([
    [0, 1],
    [0, 0],
    [2, 0],
  ]);
});

test('the success rate is of what ended; nothing ended is no rate', () => {
  expect(successRate(totalsOf([stat('x', { delivered: 3, dead: 1 })]))).toBe(0.75);
  expect(successRate({ delivered: 0, dead: 0 })).toBeNull();
});

test('a list that comes in by pages is drawn anew a few times, and whole in the end', () => {
  const drawn = new Set(Array.from({ length: 50 }, (_, i) => shownPages(i + 1, false)));
  expect([...drawn]).toEqual([1, 2, 4, 8, 16, 32]);
  expect(shownPages(50, true)).toBe(50);
  expect(shownPages(0, false)).toBe(0);
});
