import { useState } from 'react';
import { localTime } from '@/format/time';
import { Select } from '@/ui/field';

const SPANS: [string, string, number][] = [
  ['1h', 'Last hour', 3_600_000],
  ['24h', 'Last 24 hours', 86_400_000],
  ['7d', 'Last 7 days', 604_800_000],
  ['30d', 'Last 30 days', 2_592_000_000],
];

interface SpanFilterProps {
  from: string | undefined;
  onChange: (from: string | undefined) => void;
}

/** From when on. The address holds the moment, so that a link sent tomorrow shows the same. */
export function SpanFilter({ from, onChange }: SpanFilterProps) {
  const [span, setSpan] = useState<string>();
  const value = from === undefined ? '' : (span ?? 'given');
  return (
    <Select
      aria-label="Time"
      className="w-auto"
      value={value}
      onChange={(event) => {
        const chosen = SPANS.find(([id]) => id === event.target.value);
        setSpan(chosen?.[0]);
        onChange(chosen && new Date(Date.now() - chosen[2]).toISOString());
      }}
    >
      <option value="">Any time</option>
      {value === 'given' && <option value="given">Since {from && localTime(from)}</option>}
      {SPANS.map(([id, label]) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
    </Select>
  );
}
