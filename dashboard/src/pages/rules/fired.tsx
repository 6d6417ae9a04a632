/** When a rule fired last, and how often of late. */
import type { Rule } from '@/api/types';
import { countText } from '@/format/number';
import { Age } from '@/ui/time';

export function Fired({ rule, isStacked }: { rule: Rule; isStacked?: boolean }) {
  const { last_fired_at: last, fired_24h: count } = rule;
  if (!last && !count) return <span className="text-muted text-[13px]">has not fired yet</span>;
  const often = count ? `${countText(count)} in 24 h` : 'none in 24 h';
  return (
    <span
      className={`text-muted numbers text-[13px] ${isStacked ? 'flex flex-col items-end' : 'inline-flex gap-3'}`}
    >
      <span title="Alerts that it made in the last 24 hours">{often}</span>
      {last && (
        <span>
          {isStacked ? '' : 'last fired '}
          <Age at={last} />
        </span>
      )}
    </span>
  );
}
