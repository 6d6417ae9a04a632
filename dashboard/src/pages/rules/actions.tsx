import { useNavigate } from '@tanstack/react-router';
import { Power, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { changeRule, deleteRule, useRuleMutation } from '@/api/rules';
import type { Rule } from '@/api/types';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { toast } from '@/ui/toast';

/** `onChanged` is told the tag that the rule has now: switching it is not somebody else's change. */
export function RuleActions({
  rule,
  onChanged,
}: {
  rule: Rule;
  onChanged: (etag: string | null) => void;
}) {
  const [isDeleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const turn = useRuleMutation((isActive: boolean) => changeRule(rule.id, { is_active: isActive }));
  const remove = useRuleMutation(() => deleteRule(rule.id));
  const switchTo = (isActive: boolean) =>
    turn.mutate(isActive, {
      onSuccess: ({ etag }) => {
        onChanged(etag);
        toast.done(`${rule.name} is switched ${isActive ? 'on' : 'off'}`, () =>
          switchTo(!isActive),
        );
      },
      onError: toast.failed,
    });
  return (
    <>
      <Button onClick={() => switchTo(!rule.is_active)} isBusy={turn.isPending}>
        <Power /> {rule.is_active ? 'Switch off' : 'Switch on'}
      </Button>
      <Button look="danger" onClick={() => setDeleting(true)}>
        <Trash2 /> Delete
      </Button>
      <Confirm
        title={`Delete ${rule.name}?`}
        consequence="Deletes the rule; it sends no more alerts. What it sent stays on record. To stop it for a while, switch it off."
        action="Delete rule"
        isOpen={isDeleting}
        isBusy={remove.isPending}
        onClose={() => setDeleting(false)}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              toast.done(`${rule.name} is deleted`);
              void navigate({ to: '/rules', search: {} });
            },
            onError: toast.failed,
          })
        }
      />
    </>
  );
}
