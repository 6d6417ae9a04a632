/** Numbers for people: `1,204`, `12.4 k`, `99.8%`. */

const GROUPED = new Intl.NumberFormat('en-US');

export function countText(value: number): string {
  if (value < 10_000) return GROUPED.format(value);
  if (value < 1_000_000) return `${trim(value / 1_000)} k`;
  return `${trim(value / 1_000_000)} M`;
}

function trim(value: number): string {
  return value >= 100 ? String(Math.floor(value)) : String(Math.floor(value * 10) / 10);
}

/** `1 alert`, `1,204 alerts`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${GROUPED.format(count)} ${count === 1 ? one : many}`;
}

/** A count that ended at a bound: `10,000+`. */
export function boundedText(count: number, most: number): string {
  return `${GROUPED.format(count)}${count >= most ? '+' : ''}`;
}

/** Never rounded up to 100% while anything failed. */
export function percentText(share: number): string {
  if (share === 1) return '100%';
  const tenths = Math.floor(share * 1_000) / 10;
  return `${tenths.toFixed(1)}%`;
}

/** A share in percent with all its digits, as it is written in a form: `33.333`. */
export function percentOf(share: number): string {
  return String(Number((share * 100).toPrecision(12)));
}

export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
