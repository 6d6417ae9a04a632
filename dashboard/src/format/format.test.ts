import { describe, expect, test } from 'vitest';
import { parseDuration, sayDuration, tookText, writeDuration } from './duration';
import { boundedText, bytesText, countText, percentText, plural } from './number';
import { ageText, countdownText, nextMillisecond } from './time';

describe('durations', () => {
  test('are read as people write them', () => {
    expect(parseDuration('15m')).toBe(900_000);
    expect(parseDuration('1h 30m')).toBe(5_400_000);
    expect(parseDuration('2 hours')).toBe(7_200_000);
    expect(parseDuration('0.5h')).toBe(1_800_000);
    expect(parseDuration('250ms')).toBe(250);
  });
  test('a bare number is minutes', () => expect(parseDuration('10')).toBe(600_000));
  test('what is no duration is not read', () => {
    for (const text of ['', '  ', 'soon', '5 apples', '-3m', 'm', '1h nope'])
      expect(parseDuration(text)).toBeNull();
  });
  test('what is written reads back the same', () => {
    for (const ms of [1, 999, 60_000, 5_400_000, 90_061_001])
      expect(parseDuration(writeDuration(ms))).toBe(ms);
  });
  test('are said in words', () => {
    expect(sayDuration(600_000)).toBe('10 minutes');
    expect(sayDuration(3_600_000)).toBe('1 hour');
    expect(sayDuration(90_000)).toBe('90 seconds');
    expect(sayDuration(1_500)).toBe('1s 500ms');
  });
  test('how long something took', () => {
    expect(tookText(184)).toBe('184 ms');
    expect(tookText(1_230)).toBe('1.2 s');
    expect(tookText(250_000)).toBe('4 m 10 s');
    expect(tookText(11_100_000)).toBe('3 h 5 m');
  });
});

describe('numbers', () => {
  test('are grouped, and shortened above ten thousand', () => {
    expect(countText(1_204)).toBe('1,204');
    expect(countText(12_450)).toBe('12.4 k');
    expect(countText(3_200_000)).toBe('3.2 M');
  });
  test('a count that ended at its bound says so', () => {
    expect(boundedText(1_204, 10_000)).toBe('1,204');
    expect(boundedText(10_000, 10_000)).toBe('10,000+');
  });
  test('one failure in a hundred thousand is not a hundred percent', () => {
    expect(percentText(99_999 / 100_000)).toBe('99.9%');
    expect(percentText(1)).toBe('100%');
  });
  test('plurals and bytes', () => {
    expect(plural(1, 'alert')).toBe('1 alert');
    expect(plural(1_204, 'entry', 'entries')).toBe('1,204 entries');
    expect(bytesText(1_048_576)).toBe('1.0 MB');
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-27T22:00:00Z');
  test('ages', () => {
    expect(ageText('2026-11-27T21:57:00Z', now)).toBe('3 min ago');
    expect(ageText('2026-11-27T21:59:58Z', now)).toBe('just now');
    expect(ageText('2026-11-20T22:00:00Z', now)).toBe('7 d ago');
    expect(ageText('2026-11-27T22:05:00Z', now)).toBe('in 5 min');
  });
  test('a countdown ends at now', () => {
    expect(countdownText('2026-11-27T22:00:08Z', now)).toBe('in 8.0 s');
    expect(countdownText('2026-11-27T21:00:00Z', now)).toBe('now');
  });
  test('a span around one event ends with its millisecond', () => {
    expect(nextMillisecond('2026-11-27T22:00:00.632916Z')).toBe('2026-11-27T22:00:00.633Z');
    expect(nextMillisecond('2026-11-27T22:00:00Z')).toBe('2026-11-27T22:00:00.001Z');
  });
});
