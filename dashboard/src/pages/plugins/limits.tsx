import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { key } from '@/api/keys';
import { grantedLimitsQuery, setLimits } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { Plugin } from '@/api/types';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field, Input } from '@/ui/field';
import { FormError, FormFooter } from '@/ui/form-footer';
import { Card } from '@/ui/page';
import { toast } from '@/ui/toast';

const NAMES: Record<string, string> = {
  fuel: 'Fuel of a call',
  deadline_ms: 'Time of a call, ms',
  memory_bytes: 'Memory, bytes',
  output_bytes: 'Output, bytes',
  exchanges: 'Requests of an attempt',
};

const WHO: Record<string, string> = {
  manifest: 'its manifest',
  operator: 'an operator',
  default: 'the host’s default',
  ceiling: 'the host’s ceiling',
};

export function LimitsCard({ plugin, canEdit }: { plugin: Plugin; canEdit: boolean }) {
  const [isEditing, setEditing] = useState(false);
  return (
    <Card
      title="Limits in force"
      aside={
        canEdit && (
          <Button size="small" onClick={() => setEditing(true)}>
            Change
          </Button>
        )
      }
    >
      <table className="w-full">
        <thead>
          <tr className="text-muted text-left text-xs uppercase">
            <th className="py-1.5 font-medium">Limit</th>
            <th className="py-1.5 text-right font-medium">Value</th>
            <th className="py-1.5 pl-6 font-medium">Decided by</th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {Object.entries(plugin.limits ?? {}).map(([name, limit]) => (
            <tr key={name}>
              <td className="py-1.5">{NAMES[name] ?? name}</td>
              <td className="numbers py-1.5 text-right">{limit.value.toLocaleString('en-US')}</td>
              <td className="text-muted py-1.5 pl-6">
                {WHO[limit.decided_by] ?? limit.decided_by}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {isEditing && <EditLimits plugin={plugin} onClose={() => setEditing(false)} />}
    </Card>
  );
}

function EditLimits({ plugin, onClose }: { plugin: Plugin; onClose: () => void }) {
  const granted = useQuery(grantedLimitsQuery(plugin.id));
  const [changed, setChanged] = useState<Record<string, string>>({});
  const client = useQueryClient();
  const save = useMutation({
    // On what is granted now, not on what was when this was opened: somebody else may have granted more.
    mutationFn: async (changes: Record<string, number | null>) => {
      const now = await client.fetchQuery({ ...grantedLimitsQuery(plugin.id), staleTime: 0 });
      return setLimits(plugin.id, { ...now, ...changes });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: key('plugins') });
      toast.done('The limits are in force');
      onClose();
    },
  });
  const known = (granted.data ?? {}) as Record<string, number | null>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next: Record<string, number | null> = {};
    for (const [name, text] of Object.entries(changed))
      next[name] = text === '' ? null : Number(text);
    save.mutate(next);
  };
  const problem = save.error instanceof ApiProblem ? save.error : null;
  return (
    <Dialog
      title={`Limits of ${plugin.id}`}
      description="An empty one is the host’s default."
      isOpen
      onClose={onClose}
    >
      <form onSubmit={submit} className="space-y-4">
        {Object.entries(plugin.limits ?? {}).map(([name, limit]) => (
          <Field
            key={name}
            label={NAMES[name] ?? name}
            error={problem?.at(`/${name}`)}
            help={`At most ${limit.ceiling.toLocaleString('en-US')}.`}
          >
            {(ids) => (
              <Input
                {...ids}
                type="number"
                min={1}
                disabled={granted.isPending}
                value={changed[name] ?? (known[name] != null ? String(known[name]) : '')}
                placeholder={String(limit.value)}
                onChange={(event) => setChanged({ ...changed, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
        <FormError error={save.error} />
        <FormFooter
          action="Save limits"
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={!granted.data}
        />
      </form>
    </Dialog>
  );
}
