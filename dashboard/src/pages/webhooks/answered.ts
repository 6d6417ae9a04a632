/** How a webhook answered and what it was told, added up from figures over time. */
import type { Stat } from '@/api/stats';
import type { TallyRow } from '@/charts/tally';

/** What the host counts under one name when there are too many. */
const OTHERS = '*';

type Counts = Record<string, number> | undefined;

export function countsOf(stats: Stat[], of: (stat: Stat) => Counts): TallyRow[] {
  const sums = new Map<string, number>();
  for (const stat of stats) {
    for (const [name, count] of Object.entries(of(stat) ?? {})) {
      sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
  return [...sums].map(([name, count]) => ({ name: name === OTHERS ? 'others' : name, count }));
}

/** Attempts by the status they were answered with; those without an answer are one more. */
export function answersOf(stats: Stat[]): TallyRow[] {
  const rows = countsOf(stats, (stat) => stat.status_codes).map((row) => ({
    ...row,
    tone: /^2/.test(row.name) ? ('success' as const) : ('danger' as const),
  }));
  const attempts = stats.reduce((sum, stat) => sum + stat.attempts, 0);
  const answered = rows.reduce((sum, row) => sum + row.count, 0);
  // Figures of a host that counted no codes have none: then nothing is said about them.
  if (answered === 0 || attempts <= answered) return rows;
  return [...rows, { name: 'no answer', count: attempts - answered, tone: 'danger' }];
}
