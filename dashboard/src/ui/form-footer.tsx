/** The end of a form in a dialog: what went wrong as a whole, and the buttons, the one that does it last. */
import type { ReactNode } from 'react';
import { ApiProblem } from '@/api/problem';
import { Button } from './button';
import { InlineError } from './states';

interface FormFooterProps {
  /** The verb on the button that sends the form. */
  action: string;
  onCancel: () => void;
  isBusy?: boolean;
  isDisabled?: boolean;
  /** What stands at the other side: tries that change nothing. */
  children?: ReactNode;
}

export function FormFooter(props: FormFooterProps) {
  const { action, onCancel, isBusy = false, isDisabled = false, children } = props;
  return (
    <div className="flex flex-wrap justify-end gap-2">
      {children && <div className="flex flex-wrap gap-2 sm:mr-auto">{children}</div>}
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" look="primary" isBusy={isBusy} disabled={isDisabled}>
        {action}
      </Button>
    </div>
  );
}

/** What keeps a form from being taken, unless it stands at the fields already. */
export function FormError({ error }: { error: unknown }) {
  if (error instanceof ApiProblem && error.errors.length > 0) return null;
  return <InlineError error={error} />;
}
