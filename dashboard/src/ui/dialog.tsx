/**
 * Dialogs and side sheets on Radix.
 *
 * Radix's own overlay locks scrolling with a style element, which the content security policy refuses; so the backdrop
 * is ours, and the page behind is held still by a class.
 */
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useEffect, useState, type ReactNode } from 'react';
import { Button } from './button';
import { cn } from './cn';
import { focusLast } from './last-focus';
import { visible } from './stranger-text';

interface DialogProps {
  title: string;
  description?: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  /** A sheet comes in from the side and takes the height. */
  shape?: 'dialog' | 'sheet' | 'wide';
  /** Shows what is shown this once: it closes by its own buttons alone. */
  isKept?: boolean;
}

const SHAPES = {
  dialog:
    'left-1/2 top-[12vh] max-h-[80vh] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border',
  wide: 'left-1/2 top-[6vh] max-h-[88vh] w-[min(56rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border',
  sheet: 'right-0 top-0 h-dvh w-[min(44rem,100vw)] border-l',
};

export function Dialog(props: DialogProps) {
  const { title, description, isOpen, onClose, children, shape = 'dialog', isKept } = props;
  // What was written is not thrown away by a click beside it.
  const [isWritten, setWritten] = useState(false);
  const keep = (event: Event) => {
    if (isKept || isWritten) event.preventDefault();
  };
  useEffect(() => {
    if (!isOpen) return;
    document.body.classList.add('overflow-hidden');
    return () => document.body.classList.remove('overflow-hidden');
  }, [isOpen]);
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <div className="fixed inset-0 z-40 bg-[#020a22]/60" aria-hidden />
        <Radix.Content
          className={cn(
            'enter bg-raised text-fg fixed z-50 flex flex-col overflow-hidden shadow-xl',
            SHAPES[shape],
          )}
          onOpenAutoFocus={focusFirstField}
          onInput={() => setWritten(true)}
          onInteractOutside={keep}
          onEscapeKeyDown={keep}
          // Radix gives the keyboard back to a trigger of its own, and these dialogs are opened from anywhere.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            focusLast();
          }}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <header className="flex items-start gap-4 border-b px-6 py-4">
            <div className="min-w-0 grow">
              <Radix.Title className="text-base font-semibold">
                <bdi className="stranger">{visible(title)}</bdi>
              </Radix.Title>
              {description && (
                <Radix.Description asChild>
                  <div className="text-muted mt-1">{description}</div>
                </Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <Button look="quiet" size="icon" aria-label="Close" className="-mt-1 -mr-2">
                <X />
              </Button>
            </Radix.Close>
          </header>
          {/* Reachable by keyboard, so that it can be scrolled. */}
          <div className="min-h-0 grow overflow-y-auto px-6 py-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The first field, where there is one: a person opens a form to write. */
function focusFirstField(event: Event) {
  const content = event.target instanceof HTMLElement ? event.target : null;
  const field = content?.querySelector<HTMLElement>(
    'input:not([type="radio"]), textarea, select, input:checked',
  );
  if (!field) return;
  event.preventDefault();
  field.focus();
}

interface ConfirmProps {
  title: string;
  /** What will be gone afterwards. */
  consequence: ReactNode;
  /** The verb on the button. */
  action: string;
  isOpen: boolean;
  isBusy?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asked only before what cannot be undone. */
export function Confirm(props: ConfirmProps) {
  return (
    <Dialog title={props.title} isOpen={props.isOpen} onClose={props.onClose}>
      <div className="stranger">{props.consequence}</div>
      <div className="mt-6 flex justify-end gap-2">
        <Button onClick={props.onClose}>Keep it</Button>
        <Button look="danger" onClick={props.onConfirm} isBusy={props.isBusy ?? false}>
          {props.action}
        </Button>
      </div>
    </Dialog>
  );
}
