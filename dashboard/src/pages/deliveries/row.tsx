import { memo } from 'react';
import type { Delivery } from '@/api/types';
import { cutMiddle } from '@/ui/copy';
import { RowLink } from '@/ui/row-link';
import { DeliveryBadge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Age } from '@/ui/time';
import { reasonOf } from '@/words/delivery';

export const ROW_HEIGHT = 56;

/** Status, rule and webhook, why it failed, attempts, age. */
export const DeliveryRow = memo(function DeliveryRow({
  delivery,
  endpointName,
}: {
  delivery: Delivery;
  endpointName: string | undefined;
}) {
  return (
    <RowLink
      to="/deliveries/$id"
      id={delivery.id}
      className="hover:bg-accent grid h-14 grid-cols-[1fr_auto] items-center gap-x-4 border-b px-4 outline-offset-[-2px] sm:grid-cols-[7rem_1fr_auto] sm:px-5"
    >
      <span className="max-sm:hidden">
        <DeliveryBadge status={delivery.status} />
      </span>
      <span className="min-w-0">
        <span className="block truncate">
          <strong className="font-medium">
            <Foreign text={delivery.rule_name} />
          </strong>
          <span className="text-muted"> → </span>
          <Foreign text={endpointName ?? cutMiddle(delivery.webhook_endpoint_id)} />
        </span>
        <span className="text-muted block truncate text-[13px]">
          {delivery.redriven_as && <span className="text-success font-medium">Sent again · </span>}
          {delivery.last_error && delivery.status !== 'delivered' ? (
            <Foreign text={reasonOf(delivery.last_error)} />
          ) : (
            <span className="font-mono">{cutMiddle(delivery.id)}</span>
          )}
        </span>
      </span>
      <span className="text-muted flex flex-col items-end text-[13px]">
        <span className="sm:hidden">
          <DeliveryBadge status={delivery.status} />
        </span>
        <Age at={delivery.created_at} />
        {delivery.attempt_count > 1 && (
          <span className="numbers max-sm:hidden">{delivery.attempt_count} attempts</span>
        )}
      </span>
    </RowLink>
  );
});
