/** Bars over time. Each bar can be chosen, by mouse and by keyboard, where there is something behind it. */
import { cn } from '@/ui/cn';

export interface Bar {
  key: string;
  /** Said aloud and shown on hover. */
  label: string;
  value: number;
  /** The part of it that failed, in red at the foot. */
  failed?: number;
}

interface BarsProps {
  bars: Bar[];
  label: string;
  chosen?: string | undefined;
  onChoose?: (key: string) => void;
  from: string;
  to: string;
}

export function Bars({ bars, label, chosen, onChoose, from, to }: BarsProps) {
  const top = Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <figure aria-label={label}>
      <div className="flex gap-3">
        <div
          className="text-muted numbers flex h-32 w-8 shrink-0 flex-col justify-between text-right text-xs"
          aria-hidden
        >
          <span>{top}</span>
          <span>0</span>
        </div>
        <ul className="flex h-32 min-w-0 grow items-stretch gap-px border-b sm:gap-0.5">
          {bars.map((bar) => (
            <li
              key={bar.key}
              className="relative flex min-w-0 grow basis-0 items-end"
              title={bar.label}
            >
              {onChoose && bar.value > 0 ? (
                <button
                  type="button"
                  data-value={bar.value}
                  aria-label={bar.label}
                  aria-pressed={chosen === bar.key}
                  onClick={() => onChoose(bar.key)}
                  className={cn(
                    'flex h-full w-full items-end rounded-t-sm hover:bg-accent',
                    chosen === bar.key && 'bg-accent',
                  )}
                >
                  <Column bar={bar} top={top} />
                </button>
              ) : (
                <>
                  <span className="sr-only">{bar.label}</span>
                  <Column bar={bar} top={top} />
                </>
              )}
            </li>
          ))}
        </ul>
      </div>
      <div className="text-muted numbers mt-1 flex justify-between pl-11 text-xs" aria-hidden>
        <span>{from}</span>
        <span>{to}</span>
      </div>
    </figure>
  );
}

function Column({ bar, top }: { bar: Bar; top: number }) {
  if (bar.value === 0) return null;
  const failed = bar.failed ?? 0;
  return (
    <span
      className="flex w-full flex-col overflow-hidden rounded-t-sm"
      style={{ height: `${Math.max(3, (bar.value / top) * 100)}%` }}
    >
      <span className="bg-success-fill" style={{ flexGrow: bar.value - failed }} />
      <span className="bg-danger-fill" style={{ flexGrow: failed }} />
    </span>
  );
}
