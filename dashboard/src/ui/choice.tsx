/** Choosing what a list shows: in a list that folds out, or by buttons in a row. */
import { cn } from './cn';
import { Picker } from './picker';

interface FilterSelectProps {
  label: string;
  /** What stands for no choice. */
  any: string;
  value: string | undefined;
  options: [value: string, label: string][];
  onChange: (value: string | undefined) => void;
}

export function FilterSelect({ label, any, value, options, onChange }: FilterSelectProps) {
  return (
    <Picker
      aria-label={label}
      className="w-auto max-w-52"
      none={any}
      items={options.map(([id, name]) => ({ id, name }))}
      value={value ?? ''}
      onChange={(next) => onChange(next || undefined)}
    />
  );
}

interface SegmentsProps<T> {
  label: string;
  value: T;
  options: [value: T, label: string, count?: string | undefined][];
  onChange: (value: T) => void;
  size?: 'normal' | 'small';
}

export function Segments<T extends string | undefined>(props: SegmentsProps<T>) {
  const { label, value, options, onChange, size = 'normal' } = props;
  return (
    <div
      role="group"
      aria-label={label}
      className="flex max-w-full overflow-x-auto rounded-md border"
    >
      {options.map(([option, text, count]) => (
        <button
          key={text}
          type="button"
          aria-pressed={value === option}
          onClick={() => onChange(option)}
          className={cn(
            'px-3 whitespace-nowrap outline-offset-[-2px] not-last:border-r',
            size === 'small' ? 'h-8 text-[13px]' : 'h-9',
            value === option ? 'bg-accent font-semibold' : 'text-muted hover:text-fg',
          )}
        >
          {text}
          {count !== undefined && (
            // As wide while it is counted.
            <span className="text-muted numbers ml-1.5 inline-block min-w-[2ch] font-normal">
              {count}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
