import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { rotateSecret, useEndpointMutation } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { InlineError } from '@/ui/states';
import { Countdown, Moment } from '@/ui/time';
import { SecretOnce } from './secret';

/** A new secret, with the old one going on for a while, so that no alert is refused meanwhile. */
export function RotateSecret({ endpointId }: { endpointId: string }) {
  const [isOpen, setOpen] = useState(false);
  const rotate = useEndpointMutation(() => rotateSecret(endpointId));
  const close = () => {
    setOpen(false);
    rotate.reset();
  };
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>
        <RefreshCw /> Rotate secret
      </Button>
      <Dialog
        title="Rotate the signing secret"
        isOpen={isOpen}
        isKept={rotate.data !== undefined}
        onClose={close}
      >
        {rotate.data ? (
          <div className="space-y-4">
            <SecretOnce secret={rotate.data.secret} label="New secret" />
            <p>
              The old one signs as well until{' '}
              <Moment at={rotate.data.previous_secret_valid_until} />: it ends{' '}
              <Countdown until={rotate.data.previous_secret_valid_until} />. Change your receiver
              before.
            </p>
            <div className="flex justify-end">
              <Button look="primary" onClick={close}>
                Done
              </Button>
            </div>
          </div>
        ) : (
          <div className="space-y-4">
            <p>
              A new secret is made. For a day the old one signs too, so your receiver can change
              without losing an alert.
            </p>
            <InlineError error={rotate.error} />
            <div className="flex justify-end gap-2">
              <Button onClick={close}>Cancel</Button>
              <Button
                look="primary"
                isBusy={rotate.isPending}
                onClick={() => rotate.mutate(undefined)}
              >
                Make a new secret
              </Button>
            </div>
          </div>
        )}
      </Dialog>
    </>
  );
}
