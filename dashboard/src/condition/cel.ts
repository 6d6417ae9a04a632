/** The Common Expression Language for the editor: how its words look, and what it has to offer. */
import { StreamLanguage } from '@codemirror/language';

const WORDS = new Set(['true', 'false', 'null', 'in']);

export const celLanguage = StreamLanguage.define<Record<string, never>>({
  name: 'cel',
  startState: () => ({}),
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(/^[rb]*"(?:[^"\\]|\\.)*"?/) || stream.match(/^[rb]*'(?:[^'\\]|\\.)*'?/))
      return 'string';
    if (stream.match(/^\d+(\.\d+)?u?/)) return 'number';
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (Array.isArray(word)) {
      if (WORDS.has(word[0])) return 'keyword';
      return stream.peek() === '(' ? 'function' : 'variableName';
    }
    stream.next();
    return 'operator';
  },
});

export interface Offer {
  label: string;
  /** A line of help. */
  detail: string;
}

export const FUNCTIONS: Offer[] = [
  { label: 'has(event.data.node_name)', detail: 'whether the field is there' },
  { label: 'size(event.data.graph_name)', detail: 'length of a text, list or map' },
  { label: 'startsWith("")', detail: 'on a text: begins with' },
  { label: 'endsWith("")', detail: 'on a text: ends with' },
  { label: 'contains("")', detail: 'on a text: holds' },
  { label: 'matches("")', detail: 'on a text: meets a regular expression' },
  { label: 'timestamp(event.time)', detail: 'a text as a time' },
  { label: 'duration("15m")', detail: 'a length of time' },
  { label: 'getHours("UTC")', detail: 'on a time: hour of the day, in a zone' },
  { label: 'getDayOfWeek("UTC")', detail: 'on a time: 0 is Sunday' },
  { label: 'exists(x, x > 0)', detail: 'on a list: one meets the condition' },
  { label: 'all(x, x > 0)', detail: 'on a list: each meets the condition' },
  { label: 'int(event.data.duration_ms)', detail: 'as a whole number' },
  { label: 'string(event.data.run_id)', detail: 'as a text' },
];

/** Ready conditions to begin with. */
export const READY: { label: string; source: string }[] = [
  { label: 'A graph named…', source: 'event.data.graph_name == "nightly-etl"' },
  { label: 'More than n errors', source: 'event.data.errored_count > 3' },
  {
    label: 'More than half of the states failed',
    source: 'event.data.errored_count * 2 > event.data.total_count',
  },
  { label: 'Took longer than…', source: 'event.data.duration_ms > 900000' },
  {
    label: 'Outside office hours',
    source:
      'timestamp(event.time).getHours("UTC") < 8 || timestamp(event.time).getHours("UTC") >= 18',
  },
  { label: 'Graphs whose name begins with…', source: 'event.data.graph_name.startsWith("prod-")' },
  {
    label: 'A certain node failed',
    source: 'has(event.data.node_name) && event.data.node_name == "load"',
  },
];
