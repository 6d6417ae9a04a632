import { cn } from '@/ui/cn';

interface MeterProps {
  label: string;
  value: number;
  limit: number;
  text: (value: number) => string;
}

/** From here on a limit is about to be hit. */
const NEAR = 0.8;

export function Meter({ label, value, limit, text }: MeterProps) {
  const share = Math.min(1, value / Math.max(1, limit));
  return (
    <div>
      <div className="flex justify-between gap-3 text-[13px]">
        <span className="text-muted">{label}</span>
        <span className="numbers">
          {text(value)} of {text(limit)}
        </span>
      </div>
      <div className="bg-accent mt-1 h-1.5 overflow-hidden rounded-full" aria-hidden>
        <div
          className={cn('h-full', share >= NEAR ? 'bg-danger-fill' : 'bg-success-fill')}
          style={{ width: `${share * 100}%` }}
        />
      </div>
    </div>
  );
}
