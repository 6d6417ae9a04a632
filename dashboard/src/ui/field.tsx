/** Form fields: a label, a control, help below it, and the host's word about it. */
import { useId, type ComponentProps, type ReactNode } from 'react';
import { cn } from './cn';

export const controlClass =
  'h-9 w-full rounded-md border border-line-strong bg-bg px-3 text-sm text-fg placeholder:text-muted aria-invalid:border-danger disabled:opacity-60';

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  isOptional?: boolean;
  className?: string;
  children: (ids: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean | undefined;
  }) => ReactNode;
}

export function Field({ label, help, error, isOptional, className, children }: FieldProps) {
  const id = useId();
  const helpId = `${id}-help`;
  return (
    <div className={cn('space-y-1.5', className)}>
      <label htmlFor={id} className="block font-medium">
        {label}
        {isOptional && <span className="text-muted font-normal"> (optional)</span>}
      </label>
      {children({
        id,
        'aria-describedby': help || error ? helpId : undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {(help || error) && (
        <div id={helpId} className="text-[13px]">
          {error && (
            <p role="alert" className="text-danger stranger">
              {error}
            </p>
          )}
          {help && <p className="text-muted">{help}</p>}
        </div>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...rest} className={cn(controlClass, className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return (
    <textarea
      spellCheck={false}
      {...rest}
      className={cn(controlClass, 'h-auto min-h-24 py-2 font-mono text-[13px]', className)}
    />
  );
}

export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select {...rest} className={cn(controlClass, 'pr-8', className)} />;
}

interface SwitchProps {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  label: string;
  isDisabled?: boolean;
  isLabelHidden?: boolean;
}

export function Switch({ isOn, onChange, label, isDisabled, isLabelHidden }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={isOn}
      aria-label={isLabelHidden ? label : undefined}
      disabled={isDisabled}
      onClick={() => onChange(!isOn)}
      className="group inline-flex min-h-6 items-center gap-2 disabled:cursor-not-allowed disabled:opacity-50"
    >
      <span
        className={cn(
          'flex h-5 w-9 shrink-0 items-center rounded-full border p-0.5 transition-colors duration-100',
          isOn ? 'border-primary bg-primary' : 'border-line-strong bg-bg',
        )}
      >
        <span
          className={cn(
            'size-3.5 rounded-full transition-transform duration-100',
            isOn ? 'bg-on-primary translate-x-4' : 'bg-line-strong',
          )}
        />
      </span>
      {!isLabelHidden && <span>{label}</span>}
    </button>
  );
}
