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

/** A time of the API (with microseconds) moved by one microsecond: the end of a span that holds only it. */
export function justAfter(at: string): string {
  const match = /^(.*?:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(at);
  if (!match) return at;
  const micros = Number((match[2] ?? '').padEnd(6, '0').slice(0, 6)) + 1;
  if (micros < 1_000_000) return `${match[1]}.${String(micros).padStart(6, '0')}${match[3]}`;
  return `${new Date(Date.parse(`${match[1]}${match[3]}`) + 1_000).toISOString().slice(0, 19)}Z`;
}
