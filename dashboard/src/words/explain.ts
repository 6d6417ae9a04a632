/**
 * Which part of a condition decided, with the value behind it: “errored_count is 2; needs > 3”.
 *
 * Only parts that are plain comparisons are explained, joined by `&&`; whether the rule fires is always the host's word.
 */

type Literal = string | number | boolean;

interface Comparison {
  path: string[];
  operator: string;
  literal: Literal;
}

const COMPARISON =
  /^event((?:\.[A-Za-z_]\w*)+)\s*(==|!=|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?|true|false)$/;

/** The first comparison that is not met, in words; null when nothing simple decided. */
export function explainCondition(source: string, event: unknown): string | null {
  for (const part of splitAnd(source)) {
    const comparison = parseComparison(part);
    if (!comparison) continue;
    const value = valueAt(event, comparison.path);
    const name = comparison.path.filter((step, i) => !(i === 0 && step === 'data')).join('.');
    if (value === undefined) return `${name} is not in this event; needs ${needs(comparison)}`;
    if (isMet(value, comparison) === false) {
      return `${name} is ${show(value)}; needs ${needs(comparison)}`;
    }
  }
  return null;
}

/** Cuts at each `&&` outside of brackets and texts. Where `||` stands beside it, nothing is cut. */
export function splitAnd(source: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let i = 0; i < source.length; i++) {
    const char = source[i] ?? '';
    if (quote) {
      if (char === '\\') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (depth === 0 && source.startsWith('||', i)) return [source.trim()];
    else if (depth === 0 && char === '?') return [source.trim()];
    else if (depth === 0 && source.startsWith('&&', i)) {
      parts.push(source.slice(start, i).trim());
      start = i + 2;
      i++;
    }
  }
  parts.push(source.slice(start).trim());
  return parts;
}

function parseComparison(part: string): Comparison | null {
  const match = COMPARISON.exec(part);
  if (!match?.[1] || !match[2] || !match[3]) return null;
  return { path: match[1].slice(1).split('.'), operator: match[2], literal: literalOf(match[3]) };
}

function literalOf(text: string): Literal {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.startsWith('"') || text.startsWith("'"))
    return text.slice(1, -1).replace(/\\(.)/g, '$1');
  return Number(text);
}

function valueAt(event: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string, unknown>)[step]
        : undefined,
    event,
  );
}

function isMet(value: unknown, { operator, literal }: Comparison): boolean | null {
  if (typeof value !== typeof literal) return null;
  const [left, right] = [value as Literal, literal];
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

const show = (value: unknown) => (typeof value === 'string' ? `“${value}”` : JSON.stringify(value));

const needs = ({ operator, literal }: Comparison) =>
  operator === '==' ? show(literal) : `${operator.replace('!=', 'other than')} ${show(literal)}`;
