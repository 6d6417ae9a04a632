import { useNavigate } from '@tanstack/react-router';
import { Ban, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { cancelDelivery, redrive, retryDelivery, useDeliveryMutation } from '@/api/deliveries';
import { useMay } from '@/api/session';
import type { Delivery } from '@/api/types';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { RoleNote } from '@/ui/role-note';
import { toast } from '@/ui/toast';

/** What waits can be tried now or canceled; what was lost or skipped can be sent again. */
export function DeliveryActions({ delivery }: { delivery: Delivery }) {
  const mayAct = useMay('editor');
  const navigate = useNavigate();
  const [isCanceling, setCanceling] = useState(false);
  const retry = useDeliveryMutation(() => retryDelivery(delivery.id));
  const cancel = useDeliveryMutation(() => cancelDelivery(delivery.id));
  const again = useDeliveryMutation(() => redrive([delivery.id]));
  const isWaiting = delivery.status === 'scheduled';
  const canResend = delivery.status === 'dead' || delivery.status === 'skipped';
  if (!isWaiting && !canResend) return null;
  if (!mayAct)
    return <RoleNote role="editor" what={isWaiting ? 'Trying it now' : 'Sending it again'} />;
  const resend = () =>
    again.mutate(undefined, {
      onSuccess: ({ results }) => {
        const result = results[0];
        if (result?.delivery_id) {
          toast.done('Sent again');
          void navigate({ to: '/deliveries/$id', params: { id: result.delivery_id } });
        } else toast.failed(new Error('It was sent again already, or is gone.'));
      },
      onError: toast.failed,
    });
  return (
    <>
      {isWaiting && (
        <>
          <Button onClick={() => setCanceling(true)}>
            <Ban /> Cancel delivery
          </Button>
          <Button
            look="primary"
            isBusy={retry.isPending}
            onClick={() =>
              retry.mutate(undefined, {
                onSuccess: () => toast.done('It is tried now'),
                onError: toast.failed,
              })
            }
          >
            <RotateCcw /> Try now
          </Button>
        </>
      )}
      {canResend && (
        <Button look="primary" isBusy={again.isPending} onClick={resend}>
          <RotateCcw /> {delivery.redriven_as ? 'Resend once more' : 'Resend'}
        </Button>
      )}
      <Confirm
        title="Cancel this delivery?"
        consequence="No further attempt is made. A canceled delivery cannot be sent again."
        action="Cancel delivery"
        isOpen={isCanceling}
        isBusy={cancel.isPending}
        onClose={() => setCanceling(false)}
        onConfirm={() =>
          cancel.mutate(undefined, { onSuccess: () => setCanceling(false), onError: toast.failed })
        }
      />
    </>
  );
}
