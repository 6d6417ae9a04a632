/** A day in the width of a word: what was delivered goes up, what failed goes down. */

interface SparklineProps {
  slots: { delivered: number; failed: number }[];
  label: string;
}

const WIDTH = 96;
const HALF = 14;

export function Sparkline({ slots, label }: SparklineProps) {
  const top = Math.max(1, ...slots.map((slot) => Math.max(slot.delivered, slot.failed)));
  const step = WIDTH / Math.max(1, slots.length);
  // One of a thousand is still seen.
  const height = (count: number) => (count === 0 ? 0 : Math.max(1.5, (count / top) * (HALF - 1)));
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HALF * 2}`} className="h-7 w-24" role="img" aria-label={label}>
      <path d={`M0 ${HALF}H${WIDTH}`} className="stroke-line" />
      {slots.map(({ delivered, failed }, i) => (
        <g key={i}>
          {delivered > 0 && (
            <rect
              x={i * step + 0.5}
              width={step - 1}
              y={HALF - height(delivered)}
              height={height(delivered)}
              className="fill-success-fill"
            />
          )}
          {failed > 0 && (
            <rect
              x={i * step + 0.5}
              width={step - 1}
              y={HALF}
              height={height(failed)}
              className="fill-danger-fill"
            />
          )}
        </g>
      ))}
    </svg>
  );
}
