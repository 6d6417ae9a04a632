/** Whether alerts go to a webhook now, and if not, until when. */
import type { Endpoint } from '@/api/types';
import { Note } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Age, Countdown } from '@/ui/time';

/** Nothing while all is well. */
export function CircuitBadge({ endpoint }: { endpoint: Endpoint }) {
  if (!endpoint.is_active) return <Badge tone="muted">Off</Badge>;
  if (endpoint.circuit.state === 'open') return <Badge tone="danger">Circuit open</Badge>;
  if (endpoint.circuit.state === 'half_open') return <Badge tone="waiting">Probing</Badge>;
  return null;
}

/** When it is tried again, in as few words as a row has room for. */
export function NextProbe({ endpoint }: { endpoint: Endpoint }) {
  const { state, next_probe_at } = endpoint.circuit;
  if (!endpoint.is_active || state !== 'open' || !next_probe_at) return null;
  return (
    <span className="text-muted text-[13px] whitespace-nowrap">
      next probe <Countdown until={next_probe_at} />
    </span>
  );
}

export function CircuitNote({ endpoint }: { endpoint: Endpoint }) {
  const { circuit } = endpoint;
  if (!endpoint.is_active) {
    return (
      <Note tone="plain">
        <CircuitBadge endpoint={endpoint} />
        <p className="mt-1">
          Nothing is sent to it. Alerts that its rules make meanwhile are skipped.
        </p>
      </Note>
    );
  }
  if (circuit.state === 'closed') return null;
  return (
    <Note tone="danger">
      <CircuitBadge endpoint={endpoint} />
      <p className="mt-1">
        It failed several times in a row, so alerts wait
        {circuit.since && (
          <>
            {' '}
            since <Age at={circuit.since} />
          </>
        )}
        .{' '}
        {circuit.next_probe_at ? (
          <>
            One is tried <Countdown until={circuit.next_probe_at} />, as the webhook is set then;
            when it is taken, the others follow.
          </>
        ) : (
          'One is on its way to see whether it is back.'
        )}
      </p>
    </Note>
  );
}
