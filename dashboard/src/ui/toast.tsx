/** Short words about what was just done, with the way back where there is one. */
import { X } from 'lucide-react';
import { Toast as Radix } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { messageOf } from '@/api/problem';
import { Button } from './button';
import { cn } from './cn';
import { Shape } from './status';
import { visible } from './stranger-text';

interface Toast {
  id: number;
  text: string;
  isError: boolean;
  undo: (() => void) | undefined;
}

let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function setToasts(next: Toast[]) {
  toasts = next;
  listeners.forEach((listener) => listener());
}

function add(text: string, isError: boolean, undo?: () => void) {
  // Three at once are read; older ones have had their time.
  setToasts([...toasts.slice(-2), { id: nextId++, text, isError, undo }]);
}

export const toast = {
  done: (text: string, undo?: () => void) => add(text, false, undo),
  failed: (error: unknown) => add(messageOf(error), true),
};

const dismiss = (id: number) => setToasts(toasts.filter((each) => each.id !== id));

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <Radix.Provider swipeDirection="right" duration={6_000}>
      {shown.map((each) => (
        <Radix.Root
          key={each.id}
          onOpenChange={(isOpen) => !isOpen && dismiss(each.id)}
          className={cn(
            'enter bg-raised flex items-center gap-3 rounded-lg border px-4 py-2.5 shadow-lg',
            each.isError && 'border-danger/60',
          )}
        >
          <Shape tone={each.isError ? 'danger' : 'success'} />
          <Radix.Description className="stranger min-w-0 grow">
            {visible(each.text)}
          </Radix.Description>
          {each.undo && (
            <Radix.Action asChild altText="Undo">
              <Button size="small" onClick={each.undo}>
                Undo
              </Button>
            </Radix.Action>
          )}
          <Radix.Close aria-label="Dismiss" className="text-muted hover:text-fg rounded-sm p-1">
            <X className="size-4" />
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-4 bottom-4 z-60 flex w-[min(26rem,calc(100vw-2rem))] flex-col gap-2 max-sm:bottom-20" />
    </Radix.Provider>
  );
}
