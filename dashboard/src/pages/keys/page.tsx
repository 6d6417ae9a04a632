/** Who can call the API, and how far each reaches. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { key } from '@/api/keys';
import { createApiKey, revokeApiKey, useApiKeys } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { ApiKey, Role } from '@/api/types';
import { Button } from '@/ui/button';
import { Id } from '@/ui/copy';
import { Confirm, Dialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/field';
import { FormError, FormFooter } from '@/ui/form-footer';
import { Page } from '@/ui/page';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age, Moment, useNow } from '@/ui/time';
import { toast } from '@/ui/toast';
import { SecretOnce } from '../webhooks/secret';

const ROLES: [Role, string][] = [
  ['viewer', 'Viewer: sees, changes nothing'],
  ['editor', 'Editor: webhooks, rules, deliveries, events'],
  ['admin', 'Admin: an editor, and keys'],
];

export function KeysPage() {
  const keys = useApiKeys();
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: string) => revokeApiKey(id),
    onSuccess: () => toast.done('The key is revoked'),
    onError: toast.failed,
    onSettled: async () => {
      setRevoking(null);
      await client.invalidateQueries({ queryKey: key('api-keys') });
    },
  });
  const make = (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus /> Make key
    </Button>
  );
  return (
    <Page
      title="Keys"
      icon={KeyRound}
      subtitle="Who can call the API of this namespace, and how far each reaches."
      actions={make}
    >
      {keys.error ? (
        <Failure error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.isPending ? (
        <Skeleton />
      ) : keys.items.length === 0 ? (
        <Empty title="No keys yet" icon={<KeyRound />} action={make}>
          A key lets a person sign in here, and a program call the API, for this namespace alone.
        </Empty>
      ) : (
        <ul className="bg-card divide-y rounded-lg border">
          {keys.items.map((each) => (
            <li key={each.id} className="flex flex-wrap items-center gap-x-6 gap-y-2 px-5 py-3">
              <span className="min-w-0 grow basis-48">
                <strong className="block font-medium">
                  <Foreign text={each.name} />
                </strong>
                <span className="text-muted text-[13px]">
                  made <Age at={each.created_at} /> · <Id id={each.id} />
                </span>
              </span>
              <span className="w-16">{each.role}</span>
              <span className="w-48 text-[13px]">
                <Expiry at={each.expires_at} />
              </span>
              <Button size="small" look="danger" onClick={() => setRevoking(each)}>
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {isMaking && <MakeKey onClose={() => setMaking(false)} />}
      <Confirm
        title={`Revoke ${revoking?.name ?? ''}?`}
        consequence="Whoever uses it is refused from now on, and sessions opened with it end. It cannot be undone."
        action="Revoke key"
        isOpen={revoking !== null}
        isBusy={revoke.isPending}
        onClose={() => setRevoking(null)}
        onConfirm={() => revoking && revoke.mutate(revoking.id)}
      />
    </Page>
  );
}

function Expiry({ at }: { at: string | null | undefined }) {
  const now = useNow();
  if (!at) return <span className="text-muted">does not expire</span>;
  if (Date.parse(at) < now) return <Badge tone="muted">Expired</Badge>;
  return (
    <>
      until <Moment at={at} />
    </>
  );
}

function MakeKey({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const [days, setDays] = useState('90');
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      createApiKey({
        name: name.trim(),
        role,
        ...(days
          ? { expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString() }
          : {}),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: key('api-keys') }),
  });
  const problem = create.error instanceof ApiProblem ? create.error : null;
  if (create.data) {
    return (
      <Dialog title={`${create.data.name} is made`} isOpen isKept onClose={onClose}>
        <SecretOnce
          label="API key"
          use="Whoever has it can sign in here and call the API, as far as its role goes."
          secret={create.data.key}
        />
        <div className="mt-6 flex justify-end">
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </Dialog>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog title="Make a key" isOpen onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <Field label="Name" help="Who or what uses it." error={problem?.at('/name')}>
          {(ids) => (
            <Input
              {...ids}
              required
              autoFocus
              placeholder="ci-bot"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Role" error={problem?.at('/role')}>
          {(ids) => (
            <Select {...ids} value={role} onChange={(event) => setRole(event.target.value as Role)}>
              {ROLES.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Works for" error={problem?.at('/expires_at')}>
          {(ids) => (
            <Select {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
              <option value="1">a day</option>
              <option value="30">30 days</option>
              <option value="90">90 days</option>
              <option value="365">a year</option>
              <option value="">ever</option>
            </Select>
          )}
        </Field>
        <FormError error={create.error} />
        <FormFooter action="Make key" onCancel={onClose} isBusy={create.isPending} />
      </form>
    </Dialog>
  );
}
