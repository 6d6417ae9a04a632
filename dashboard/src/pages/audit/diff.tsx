import { visible } from '@/ui/stranger-text';
import type { Change } from '@/words/audit';

const text = (value: unknown) =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2);

/** Before in red with a minus, after in green with a plus. */
export function Diff({ changes }: { changes: Change[] }) {
  return (
    <div className="bg-bg overflow-x-auto rounded-md border p-3 font-mono text-xs leading-5">
      {changes.map(({ field, before, after }) => (
        <div key={field}>
          <p className="text-muted">{field}</p>
          {before != null && (
            <pre className="text-danger stranger whitespace-pre-wrap">
              {lines(text(before), '-')}
            </pre>
          )}
          {after != null && (
            <pre className="text-success stranger whitespace-pre-wrap">
              {lines(text(after), '+')}
            </pre>
          )}
        </div>
      ))}
    </div>
  );
}

const lines = (value: string, sign: string) =>
  visible(value)
    .split('\n')
    .map((line) => `${sign} ${line}`)
    .join('\n');
