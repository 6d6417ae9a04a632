/** The fields of recent events, with a value of each: what a condition can ask about. */
import type { Offer } from './cel';

/** Deeper or more than this is no help in a list. */
const MOST_LEVELS = 5;
const MOST_FIELDS = 300;
const IDENTIFIER = /^[A-Za-z_]\w*$/;

export function fieldsOf(events: unknown[]): Offer[] {
  const found = new Map<string, string>();
  for (const event of events) collect(event, 'event', 0, found);
  return [...found].map(([label, detail]) => ({ label, detail }));
}

function collect(value: unknown, path: string, level: number, found: Map<string, string>) {
  if (found.size >= MOST_FIELDS || level > MOST_LEVELS) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (!found.has(path)) found.set(path, example(value));
    return;
  }
  for (const [name, each] of Object.entries(value)) {
    // Other names need brackets, and are better typed by who knows them.
    if (IDENTIFIER.test(name)) collect(each, `${path}.${name}`, level + 1, found);
  }
}

function example(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
