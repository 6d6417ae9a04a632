import { useNavigate } from '@tanstack/react-router';
import { Ellipsis, Pencil, Power, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Endpoint, Rule } from '@/api/types';
import { changeEndpoint, deleteEndpoint, useEndpointMutation } from '@/api/webhooks';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Menu, MenuItem } from '@/ui/menu';
import { toast } from '@/ui/toast';

export function EndpointActions({
  endpoint,
  rules,
  onEdit,
}: {
  endpoint: Endpoint;
  rules: Rule[];
  onEdit: () => void;
}) {
  const [isDeleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const turn = useEndpointMutation((isActive: boolean) =>
    changeEndpoint(endpoint.id, { is_active: isActive }),
  );
  const remove = useEndpointMutation(() => deleteEndpoint(endpoint.id));
  const switchTo = (isActive: boolean) =>
    turn.mutate(isActive, {
      onSuccess: () =>
        toast.done(`${endpoint.name} is switched ${isActive ? 'on' : 'off'}`, () =>
          switchTo(!isActive),
        ),
      onError: toast.failed,
    });
  return (
    <>
      <Button onClick={() => switchTo(!endpoint.is_active)} isBusy={turn.isPending}>
        <Power /> {endpoint.is_active ? 'Switch off' : 'Switch on'}
      </Button>
      <Button look="primary" onClick={onEdit}>
        <Pencil /> Edit
      </Button>
      <Menu
        trigger={
          <Button size="icon" aria-label="More">
            <Ellipsis />
          </Button>
        }
      >
        <MenuItem isDanger onSelect={() => setDeleting(true)}>
          <Trash2 /> Delete
        </MenuItem>
      </Menu>
      <Confirm
        title={`Delete ${endpoint.name}?`}
        consequence={
          rules.length === 0
            ? 'Deletes the webhook. No rule points to it. What was delivered stays on record.'
            : `Deletes the webhook; ${plural(rules.length, 'rule')} ${rules.length === 1 ? 'points' : 'point'} to it and will be skipped.`
        }
        action="Delete webhook"
        isOpen={isDeleting}
        isBusy={remove.isPending}
        onClose={() => setDeleting(false)}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              toast.done(`${endpoint.name} is deleted`);
              void navigate({ to: '/webhooks', search: {} });
            },
            onError: toast.failed,
          })
        }
      />
    </>
  );
}
