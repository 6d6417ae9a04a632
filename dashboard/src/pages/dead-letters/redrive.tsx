/** Asks once more with the count, then sends again and tells how far it is. */
import { Link } from '@tanstack/react-router';
import { plural } from '@/format/number';
import { useEndpoints } from '@/api/webhooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { InlineError, Note } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { useRedrive } from './use-redrive';

/** More names than these are a list that nobody reads. */
const MOST_NAMED = 5;

export interface Asked {
  ids: string[];
  /** Which these are, as in “sends all again”. */
  what: string;
  /** How many there are in all, as the host counts them. */
  total: string | undefined;
  /** Ids of the webhooks that they go to. */
  to: Set<string>;
}

export function Redrive({ ids, what, to, total, onClose }: Asked & { onClose: () => void }) {
  const { progress, start, stop } = useRedrive();
  const isRunning = progress?.state === 'running';
  return (
    <Dialog
      title={`Resend ${plural(ids.length, 'alert')}`}
      isOpen
      onClose={() => !isRunning && onClose()}
    >
      {!progress ? (
        <>
          <p>
            Sends {what} again: {ids.length.toLocaleString('en-US')}
            {total && ` of ${total}`}. Each is a new delivery that points to the old one. A receiver
            that took one after all gets it twice.
          </p>
          <Waits to={to} />
          <div className="mt-6 flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" onClick={() => void start(ids)}>
              Resend {ids.length}
            </Button>
          </div>
        </>
      ) : (
        <div className="space-y-4">
          <progress
            className="h-2 w-full"
            aria-label="Sent again"
            value={progress.done}
            max={progress.total}
          />
          <p role="status">
            {progress.state === 'running' && `${progress.done} of ${progress.total}…`}
            {progress.state === 'done' && `Sent ${progress.resent} of ${progress.total} again.`}
            {progress.state === 'stopped' &&
              `Stopped: ${progress.resent} were sent again, ${progress.total - progress.done} were not.`}
            {progress.state === 'failed' &&
              `Not all: ${progress.resent} were sent again, ${progress.total - progress.done} were not.`}
            {progress.state === 'done' &&
              progress.resent < progress.total &&
              ' The others were sent again already.'}
          </p>
          <InlineError error={progress.error} />
          <div className="flex justify-end gap-2">
            {isRunning ? (
              <Button onClick={stop}>Stop</Button>
            ) : (
              <Button asChild>
                <Link to="/deliveries" search={{}}>
                  Watch them
                </Link>
              </Button>
            )}
            {!isRunning && (
              <Button look="primary" onClick={onClose}>
                Done
              </Button>
            )}
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** Which webhooks take nothing now: what is sent there waits, and may be lost once more. */
function Waits({ to }: { to: Set<string> }) {
  const endpoints = useEndpoints().items;
  const waiting = endpoints.filter(
    (endpoint) =>
      to.has(endpoint.id) && (!endpoint.is_active || endpoint.circuit.state !== 'closed'),
  );
  if (waiting.length === 0) return null;
  return (
    <div className="mt-4">
      <Note tone="waiting">
        <ul className="space-y-1">
          {waiting.slice(0, MOST_NAMED).map((endpoint) => (
            <li key={endpoint.id}>
              <strong className="font-medium">
                <Foreign text={endpoint.name} />
              </strong>{' '}
              {endpoint.is_active
                ? 'does not answer now (its circuit is open): alerts wait until it does.'
                : 'is switched off: alerts wait until it is switched on.'}
            </li>
          ))}
          {waiting.length > MOST_NAMED && <li>So do {waiting.length - MOST_NAMED} others.</li>}
        </ul>
      </Note>
    </div>
  );
}
