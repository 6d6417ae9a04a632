import { useSyncExternalStore } from 'react';
import { ageText, countdownText, localTime, utcTime } from '@/format/time';

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(listener: () => void) {
  listeners.add(listener);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    listeners.forEach((each) => each());
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/** One clock for the page, so that ten thousand ages do not tick each by itself. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

const HOUR_MS = 3_600_000;

/** When the present hour began: for what is drawn by the hour, and drawn anew with the next one. */
export function useHour(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / HOUR_MS) * HOUR_MS);
}

export function Age({ at }: { at: string }) {
  // Drawn anew when it reads differently, not with each second of the clock.
  const text = useSyncExternalStore(subscribe, () => ageText(at, now));
  return (
    <time
      // What was worked out for one moment is not another's.
      key={at}
      dateTime={at}
      // Worked out for who points at it: a long list has many, and few are pointed at.
      onPointerEnter={(event) => (event.currentTarget.title = `${localTime(at)} · ${utcTime(at)}`)}
      className="numbers whitespace-nowrap"
    >
      {text}
    </time>
  );
}

export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcTime(at)} className="numbers whitespace-nowrap">
      {localTime(at)}
    </time>
  );
}

export function Countdown({ until }: { until: string }) {
  const text = countdownText(until, useNow());
  return (
    <time dateTime={until} title={utcTime(until)} className="numbers whitespace-nowrap">
      {text}
    </time>
  );
}
