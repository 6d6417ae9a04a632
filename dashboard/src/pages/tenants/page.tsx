/** Who uses this host, and what each is let do. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Building2 } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { key } from '@/api/keys';
import { changeTenant, useTenants } from '@/api/operators';
import { ApiProblem } from '@/api/problem';
import type { Tenant } from '@/api/types';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field, Input, Switch } from '@/ui/field';
import { FormError, FormFooter } from '@/ui/form-footer';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { toast } from '@/ui/toast';
import { rateLimitOf } from '../rate-limit';

const route = getRouteApi('/tenants');
const ROW_HEIGHT = 56;

export function TenantsPage() {
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const tenants = useTenants();
  const [limiting, setLimiting] = useState<Tenant | null>(null);
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: ({ name, is_beta }: { name: string; is_beta: boolean }) =>
      changeTenant(name, { is_beta }),
    onError: toast.failed,
    onSettled: () => client.invalidateQueries({ queryKey: key('tenants') }),
  });
  const shown = tenants.items.filter(
    (tenant) => !q || tenant.name.toLowerCase().includes(q.toLowerCase()),
  );
  return (
    <Page title="Tenants" icon={Building2} subtitle="The namespaces that use this host.">
      {tenants.items.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <SearchBox
            label="Search namespaces"
            value={q ?? ''}
            onChange={(text) =>
              void navigate({
                search: (now) => ({ ...now, q: text || undefined }) as typeof now,
                replace: true,
              })
            }
          />
          <span role="status" className="text-muted numbers ml-auto text-[13px]">
            {plural(shown.length, 'namespace')}
          </span>
        </div>
      )}
      <ListStates
        isPending={tenants.isPending}
        error={tenants.error}
        onRetry={() => void tenants.refetch()}
        all={tenants.items.length}
        shown={shown.length}
        empty={
          <Empty title="No namespaces yet" icon={<Building2 />}>
            A namespace begins when something is first made in it.
          </Empty>
        }
        nothing={{
          title: 'No namespace matches',
          why: `Of ${plural(tenants.items.length, 'namespace')} none has this in its name.`,
          onClear: () => void navigate({ search: {} }),
        }}
      >
        <div className="bg-card overflow-hidden rounded-lg border">
          <Rows
            items={shown}
            rowHeight={ROW_HEIGHT}
            label="Namespaces"
            keyOf={(tenant) => tenant.name}
            render={(tenant) => (
              <div className="flex h-full items-center gap-4 border-b px-5">
                <Link
                  to="/"
                  search={{ ns: tenant.name }}
                  className="min-w-0 grow truncate font-medium hover:underline"
                >
                  <Foreign text={tenant.name} />
                </Link>
                <span className="text-muted text-[13px] max-sm:hidden">
                  {tenant.rate_limit ? `${tenant.rate_limit.per_minute} a minute` : 'no limit'}
                </span>
                <Button size="small" onClick={() => setLimiting(tenant)}>
                  Limit
                </Button>
                <Switch
                  isOn={tenant.is_beta}
                  label="Beta"
                  onChange={(is_beta) => change.mutate({ name: tenant.name, is_beta })}
                />
              </div>
            )}
          />
        </div>
      </ListStates>
      {limiting && <LimitTenant tenant={limiting} onClose={() => setLimiting(null)} />}
    </Page>
  );
}

function LimitTenant({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const [perMinute, setPerMinute] = useState(
    tenant.rate_limit ? String(tenant.rate_limit.per_minute) : '',
  );
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      changeTenant(tenant.name, {
        rate_limit: rateLimitOf({ perMinute, burst: tenant.rate_limit?.burst ?? null }),
      }),
    onSuccess: () => {
      toast.done('Saved');
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: key('tenants') }),
  });
  const problem = save.error instanceof ApiProblem ? save.error : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog title={`Rate limit of ${tenant.name}`} isOpen onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label="Deliveries a minute"
          isOptional
          help="Over it deliveries wait; none is lost. Empty: no limit of its own."
          error={problem?.at('/rate_limit')}
        >
          {(ids) => (
            <Input
              {...ids}
              type="number"
              min={1}
              value={perMinute}
              onChange={(event) => setPerMinute(event.target.value)}
            />
          )}
        </Field>
        <FormError error={save.error} />
        <FormFooter action="Save" onCancel={onClose} isBusy={save.isPending} />
      </form>
    </Dialog>
  );
}
