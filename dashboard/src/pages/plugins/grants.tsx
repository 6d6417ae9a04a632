import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { key } from '@/api/keys';
import { grantsQuery, setGrants } from '@/api/operators';
import { listIn } from '@/format/list';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Input, Select } from '@/ui/field';
import { FormFooter } from '@/ui/form-footer';
import { Card } from '@/ui/page';
import { InlineError, Note, Skeleton } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { toast } from '@/ui/toast';

interface Grant {
  tenant: string;
  hosts?: string[] | null;
}

const CHANGED_MEANWHILE =
  'Somebody else changed the grants meanwhile. Close this and open it again to see them.';

/** Which namespaces may use the plugin, and to which hosts it may send for them. */
export function GrantsCard({ id }: { id: string }) {
  const { data, error } = useQuery(grantsQuery(id));
  const [isEditing, setEditing] = useState(false);
  return (
    <Card
      title="Who may use it"
      aside={
        data && (
          <Button size="small" onClick={() => setEditing(true)}>
            Change
          </Button>
        )
      }
    >
      {error ? (
        <InlineError error={error} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : data.grants.length === 0 ? (
        <p>Every namespace.</p>
      ) : (
        <ul className="divide-y">
          {data.grants.map((grant) => (
            <li key={grant.tenant} className="flex justify-between gap-4 py-1.5">
              <Foreign text={grant.tenant} />
              <span className="text-muted">
                <Foreign
                  text={
                    grant.hosts
                      ? grant.hosts.join(', ') || 'no other hosts'
                      : 'hosts of its manifest'
                  }
                />
              </span>
            </li>
          ))}
        </ul>
      )}
      {isEditing && data && (
        <EditGrants id={id} grants={data.grants} onClose={() => setEditing(false)} />
      )}
    </Card>
  );
}

function EditGrants({ id, grants, onClose }: { id: string; grants: Grant[]; onClose: () => void }) {
  const [rows, setRows] = useState(() =>
    grants.map(({ tenant, hosts }) => ({
      tenant,
      isListed: hosts != null,
      hosts: hosts?.join(', ') ?? '',
    })),
  );
  const isOpened = grants.length > 0 && rows.every((row) => row.tenant.trim() === '');
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: async () => {
      const now = await client.fetchQuery({ ...grantsQuery(id), staleTime: 0 });
      if (JSON.stringify(now.grants) !== JSON.stringify(grants)) throw new Error(CHANGED_MEANWHILE);
      return setGrants(id, {
        grants: rows
          .filter((row) => row.tenant.trim() !== '')
          .map(({ tenant, isListed, hosts }) => ({
            tenant: tenant.trim(),
            ...(isListed ? { hosts: listIn(hosts) } : {}),
          })),
      });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: key('plugins') });
      toast.done('Saved');
      onClose();
    },
  });
  const set = (i: number, change: Partial<(typeof rows)[number]>) =>
    setRows(rows.map((row, at) => (at === i ? { ...row, ...change } : row)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog
      title="Who may use it"
      description="With no row, every namespace may."
      isOpen
      onClose={onClose}
    >
      <form onSubmit={submit} className="space-y-4">
        {rows.map((row, i) => (
          <div key={i} className="flex gap-2">
            <Input
              aria-label="Namespace"
              placeholder="namespace"
              value={row.tenant}
              onChange={(event) => set(i, { tenant: event.target.value })}
            />
            <Select
              aria-label="May send to"
              value={row.isListed ? 'listed' : 'manifest'}
              onChange={(event) => set(i, { isListed: event.target.value === 'listed' })}
            >
              <option value="manifest">hosts of its manifest</option>
              <option value="listed">only these hosts</option>
            </Select>
            {row.isListed && (
              <Input
                aria-label="Hosts"
                placeholder="none"
                value={row.hosts}
                onChange={(event) => set(i, { hosts: event.target.value })}
              />
            )}
            <Button
              size="icon"
              look="quiet"
              aria-label="Remove"
              onClick={() => setRows(rows.filter((_, at) => at !== i))}
            >
              <X />
            </Button>
          </div>
        ))}
        <Button
          size="small"
          onClick={() => setRows([...rows, { tenant: '', isListed: false, hosts: '' }])}
        >
          <Plus /> Add a namespace
        </Button>
        {isOpened && <Note tone="waiting">Saved like this, every namespace may use it.</Note>}
        <InlineError error={save.error} />
        <FormFooter action="Save" onCancel={onClose} isBusy={save.isPending} />
      </form>
    </Dialog>
  );
}
