/** Durations as people write them: `15m`, `2h`, `1h 30m`. */

const UNITS: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

const WORDS: Record<string, string> = {
  d: 'd',
  day: 'd',
  days: 'd',
  h: 'h',
  hour: 'h',
  hours: 'h',
  m: 'm',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  s: 's',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  ms: 'ms',
};

/** Milliseconds of what a person wrote; null when it is not a duration. A bare number is minutes. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 60_000);
  const part = /(\d+(?:\.\d+)?)\s*([a-z]+)\s*/y;
  let total = 0;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    const unit = match && WORDS[match[2] ?? ''];
    if (!match || !unit) return null;
    total += Number(match[1]) * (UNITS.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return trimmed === '' ? null : Math.round(total);
}

/** As it is written in a field: exact, so that reading it back gives the same. */
export function writeDuration(ms: number): string {
  if (ms === 0) return '0s';
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.join(' ');
}

/** In a sentence: `10 minutes`, `1 hour`, `90 seconds`. */
export function sayDuration(ms: number): string {
  const names: [string, number][] = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ];
  const exact = names.find(([, size]) => ms >= size && ms % size === 0);
  if (!exact) return writeDuration(ms);
  const count = ms / exact[1];
  return `${count} ${exact[0]}${count === 1 ? '' : 's'}`;
}

/** How long something took: `184 ms`, `1.2 s`, `4 m 10 s`, `3 h 5 m`. */
export function tookText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const [big, small, bigMs, smallMs] =
    ms < 3_600_000
      ? (['m', 's', 60_000, 1_000] as const)
      : ms < 86_400_000
        ? (['h', 'm', 3_600_000, 60_000] as const)
        : (['d', 'h', 86_400_000, 3_600_000] as const);
  const count = Math.floor(ms / bigMs);
  const rest = Math.floor((ms - count * bigMs) / smallMs);
  return rest > 0 ? `${count} ${big} ${rest} ${small}` : `${count} ${big}`;
}
