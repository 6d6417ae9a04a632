/** When a rule fires: each time, too often, too large a share, or a run that takes too long. */
import { Field, Input } from '@/ui/field';
import { cn } from '@/ui/cn';
import type { Draft, TriggerKind } from './draft';

interface TriggerFieldsProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  errors: Partial<Record<keyof Draft, string>>;
}

const KINDS: [TriggerKind, string, string][] = [
  ['event', 'Every time', 'One alert for each event.'],
  ['count', 'Too often', 'More than so many within a time.'],
  ['ratio', 'Too large a share', 'More than a percentage of events.'],
  ['duration', 'Still running', 'A run that takes too long, while it runs.'],
];

export function TriggerFields({ draft, set, errors }: TriggerFieldsProps) {
  const text = (
    field: 'count' | 'window' | 'groupBy' | 'cooldown' | 'ratioAbove' | 'ratioOf' | 'threshold',
    label: string,
    help?: string,
    isOptional = false,
  ) => (
    <Field label={label} help={help} isOptional={isOptional} error={errors[field]}>
      {(ids) => (
        <Input
          {...ids}
          value={draft[field]}
          onChange={(event) => set({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="space-y-4">
      <fieldset>
        <legend className="mb-2 font-medium">Fires</legend>
        <div className="grid gap-2 sm:grid-cols-2 xl:grid-cols-4">
          {KINDS.map(([kind, label, help]) => (
            <label
              key={kind}
              className={cn(
                'has-focus-visible:outline-link cursor-pointer rounded-lg border p-3 has-focus-visible:outline-2',
                draft.kind === kind ? 'border-primary bg-accent' : 'hover:bg-accent/50',
              )}
            >
              <input
                type="radio"
                name="trigger"
                className="sr-only"
                checked={draft.kind === kind}
                onChange={() => set({ kind })}
              />
              <span className="block font-medium">{label}</span>
              <span className="text-muted block text-[13px]">{help}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {draft.kind !== 'event' && (
        <div className="grid items-start gap-4 sm:grid-cols-2">
          {draft.kind === 'count' && text('count', 'More than')}
          {draft.kind === 'ratio' && (
            <>
              {text('ratioAbove', 'More than (percent)')}
              {text('ratioOf', 'Of all events of', 'Types, with commas.')}
            </>
          )}
          {(draft.kind === 'count' || draft.kind === 'ratio') && (
            <>
              {text('window', 'Within', 'Like 10m or 2h.')}
              {text('groupBy', 'For each', 'Counted apart by a field, like graph_name.', true)}
              {text('cooldown', 'Again after', 'While it goes on. Empty: once.', true)}
            </>
          )}
          {draft.kind === 'duration' && text('threshold', 'Still running after', 'Like 15m or 2h.')}
        </div>
      )}
    </div>
  );
}
