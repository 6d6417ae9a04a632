/** Switching a rule or a webhook on and off, and deleting it: the same for both. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Power, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { key } from '@/api/keys';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { toast } from '@/ui/toast';

interface Switched<R> {
  /** The part of the cache that shows it. */
  part: 'rules' | 'webhooks';
  name: string;
  change: (isActive: boolean) => Promise<R>;
  /** Told what the host answered: switching is not somebody else's change. */
  onChanged?: ((answer: R) => void) | undefined;
}

/** Undone from the toast, so nobody is asked before. */
export function useSwitch<R>({ part, name, change, onChanged }: Switched<R>) {
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: key(part) }),
  });
  const to = (isActive: boolean) =>
    turn.mutate(isActive, {
      onSuccess: (answer) => {
        onChanged?.(answer);
        toast.done(`${name} is switched ${isActive ? 'on' : 'off'}`, () => to(!isActive));
      },
      onError: toast.failed,
    });
  return { to, isBusy: turn.isPending, wanted: turn.isPending ? turn.variables : undefined };
}

export function SwitchButton<R>({ isOn, ...switched }: Switched<R> & { isOn: boolean }) {
  const { to, isBusy } = useSwitch(switched);
  return (
    <Button onClick={() => to(!isOn)} isBusy={isBusy}>
      <Power /> {isOn ? 'Switch off' : 'Switch on'}
    </Button>
  );
}

interface DeleteButtonProps {
  part: 'rules' | 'webhooks';
  noun: string;
  name: string;
  consequence: ReactNode;
  remove: () => Promise<unknown>;
  onDeleted: () => void;
}

/** It cannot be undone, so what it means is said first. */
export function DeleteButton(props: DeleteButtonProps) {
  const { part, noun, name, consequence, remove, onDeleted } = props;
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const removal = useMutation({
    mutationFn: remove,
    onSettled: () => client.invalidateQueries({ queryKey: key(part) }),
  });
  return (
    <>
      <Button look="danger" onClick={() => setAsked(true)}>
        <Trash2 /> Delete
      </Button>
      <Confirm
        title={`Delete ${name}?`}
        consequence={consequence}
        action={`Delete ${noun}`}
        isOpen={isAsked}
        isBusy={removal.isPending}
        onClose={() => setAsked(false)}
        onConfirm={() =>
          removal.mutate(undefined, {
            onSuccess: () => {
              toast.done(`${name} is deleted`);
              onDeleted();
            },
            onError: toast.failed,
          })
        }
      />
    </>
  );
}
