/** A request and what came of it, as they were: side by side where there is room. */
import type { Exchange, SentRequest } from '@/api/types';
import { CopyButton } from '@/ui/copy';
import { Foreign, StrangerText } from '@/ui/stranger-text';
import { curlOf } from '@/words/curl';

export function ExchangeView({ exchange }: { exchange: Exchange }) {
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <section className="min-w-0" aria-label="Request">
        <h4 className="text-muted mb-1.5 text-[13px] font-medium">Request</h4>
        <RequestView request={exchange.request} />
      </section>
      <section className="min-w-0" aria-label="Response">
        <h4 className="text-muted mb-1.5 text-[13px] font-medium">Response</h4>
        <OutcomeView outcome={exchange.outcome} />
      </section>
    </div>
  );
}

export function RequestView({ request }: { request: SentRequest }) {
  return (
    <div className="space-y-2">
      <p className="font-mono text-[13px]">
        <strong>{request.method}</strong> <Foreign text={request.url} />
      </p>
      <Headers headers={request.headers} />
      <StrangerText text={request.body} label="Body of the request" />
      <CopyButton text={curlOf(request)} label="Copy as curl" />
    </div>
  );
}

function OutcomeView({ outcome }: { outcome: Exchange['outcome'] }) {
  if (outcome.response) {
    const { status, headers, body } = outcome.response;
    return (
      <div className="space-y-2">
        <p className="font-mono text-[13px]">
          <strong className={status < 300 ? 'text-success' : 'text-danger'}>{status}</strong>
        </p>
        <Headers headers={headers} />
        {typeof outcome.incomplete === 'string' && (
          <p className="text-waiting text-[13px]">
            There is no more of it: <Foreign text={outcome.incomplete} />
          </p>
        )}
        <StrangerText text={body} label="Body of the response" />
      </div>
    );
  }
  if (outcome.failed) {
    return (
      <p>
        <strong className="text-danger">No answer.</strong>{' '}
        {FAILURES[outcome.failed.kind] ?? outcome.failed.kind}:{' '}
        <Foreign text={outcome.failed.detail} />
      </p>
    );
  }
  return <StrangerText text={JSON.stringify(outcome)} label="What came of it" />;
}

const FAILURES: Record<string, string> = {
  connect: 'Could not connect',
  timeout: 'It took too long',
  dns: 'The name was not found',
  tls: 'No secure connection',
  refused: 'The address may not be used',
};

function Headers({ headers }: { headers: [string, string][] }) {
  if (headers.length === 0) return null;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 font-mono text-xs">
      {headers.map(([name, value], i) => (
        <div key={i} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0">
            <Foreign text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
