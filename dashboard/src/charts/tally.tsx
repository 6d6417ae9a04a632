/** Counts by name, the largest first, each with a bar of its share. */
import { countText } from '@/format/number';
import { Foreign } from '@/ui/stranger-text';
import { cn } from '@/ui/cn';

export interface TallyRow {
  name: string;
  count: number;
  tone?: 'success' | 'danger' | 'plain';
}

/** More are told together: a card is read, not searched. */
const SHOWN = 6;

const FILLS = { success: 'bg-success-fill', danger: 'bg-danger-fill', plain: 'bg-link' };

export function Tally({ rows, none = 'None.' }: { rows: TallyRow[]; none?: string }) {
  if (rows.length === 0) return <p className="text-muted">{none}</p>;
  const sorted = [...rows].sort((a, b) => b.count - a.count);
  const most = sorted[0]?.count ?? 1;
  const others = sorted.slice(SHOWN).reduce((sum, row) => sum + row.count, 0);
  return (
    <ul className="space-y-2.5">
      {sorted.slice(0, SHOWN).map(({ name, count, tone = 'plain' }) => (
        <li key={name}>
          <span className="flex justify-between gap-3">
            <span className="min-w-0">
              <Foreign text={name} />
            </span>
            <span className="numbers">{countText(count)}</span>
          </span>
          <div className="bg-accent mt-1 h-1.5 overflow-hidden rounded-full" aria-hidden>
            <div
              className={cn('h-full', FILLS[tone])}
              style={{ width: `${(100 * count) / most}%` }}
            />
          </div>
        </li>
      ))}
      {others > 0 && (
        <li className="text-muted flex justify-between gap-3">
          others <span className="numbers">{countText(others)}</span>
        </li>
      )}
    </ul>
  );
}
