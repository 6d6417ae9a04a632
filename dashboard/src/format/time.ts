/** Times for people: ages, local times, and UTC for whoever compares with a log. */
import { tookText } from './duration';

export function ageText(at: string | number, now: number): string {
  const ms = now - (typeof at === 'number' ? at : Date.parse(at));
  if (ms < 0) return `in ${roughly(-ms)}`;
  return ms < 5_000 ? 'just now' : `${roughly(ms)} ago`;
}

function roughly(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

const LOCAL = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

export function localTime(at: string): string {
  return LOCAL.format(new Date(at));
}

/** `2026-11-27 22:09:21.448 UTC` */
export function utcTime(at: string): string {
  return `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

export function countdownText(until: string, now: number): string {
  const ms = Date.parse(until) - now;
  return ms <= 0 ? 'now' : `in ${tookText(Math.ceil(ms / 1_000) * 1_000)}`;
}

/** The next whole millisecond: by these the host finds events by when they came in, so it ends a span around one. */
export function nextMillisecond(at: string): string {
  return new Date(Date.parse(at) + 1).toISOString();
}
