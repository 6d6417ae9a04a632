import { ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { exchangesOf, type Attempt, type Delivery } from '@/api/types';
import { tookText } from '@/format/duration';
import { cn } from '@/ui/cn';
import { cutMiddle } from '@/ui/copy';
import { Shape } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { Countdown, Moment } from '@/ui/time';
import { STATUS, timelineOf, type Step, type Tone } from '@/words/delivery';
import { ExchangeView } from './exchange';

interface TimelineProps {
  delivery: Delivery;
  endpoint: string;
  eventType: string | null;
}

/** Event → rule → attempts, with the waits between them → end. The newest attempt is open. */
export function Timeline({ delivery, endpoint, eventType }: TimelineProps) {
  const steps = timelineOf(delivery);
  const newest = delivery.attempts?.at(-1)?.number;
  return (
    <ol className="relative space-y-1 before:absolute before:top-3 before:bottom-3 before:left-[7px] before:w-px before:bg-line">
      {steps.map((step, i) => (
        <li key={i} className="relative pl-7">
          {step.kind === 'attempt' ? (
            <AttemptStep
              attempt={step.attempt}
              isOpenAtFirst={step.attempt.number === newest}
              endpoint={endpoint}
            />
          ) : (
            <Line tone={toneOf(step)}>
              {step.kind === 'made' && (
                <>
                  <Foreign text={eventType ?? 'An event'} /> made “
                  <Foreign text={delivery.rule_name} />” fire
                  <When at={step.at} />
                </>
              )}
              {step.kind === 'wait' && (
                <span className="text-muted">Waited {tookText(step.ms)}</span>
              )}
              {step.kind === 'next' && (
                <span>
                  Next attempt{' '}
                  <strong className="font-semibold">
                    <Countdown until={step.at} />
                  </strong>
                </span>
              )}
              {step.kind === 'ended' && (
                <>
                  {STATUS[step.status].label}
                  {step.status === 'dead' && ': no more attempts are made'}
                  <When at={step.at} />
                </>
              )}
            </Line>
          )}
        </li>
      ))}
    </ol>
  );
}

function toneOf(step: Step): Tone {
  if (step.kind === 'ended') return STATUS[step.status].tone;
  return step.kind === 'next' ? 'waiting' : 'muted';
}

function Line({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <div className="py-2">
      <span className="bg-bg absolute top-3 left-0.5 py-0.5">
        <Shape tone={tone} />
      </span>
      {children}
    </div>
  );
}

const When = ({ at }: { at: string }) => (
  <span className="text-muted ml-2 text-[13px]">
    <Moment at={at} />
  </span>
);

const TONES: Record<string, Tone> = {
  delivered: 'success',
  retry: 'danger',
  rejected: 'danger',
  gone: 'danger',
};

interface AttemptStepProps {
  attempt: Attempt;
  isOpenAtFirst: boolean;
  endpoint: string;
}

function AttemptStep({ attempt, isOpenAtFirst, endpoint }: AttemptStepProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const tone = TONES[attempt.verdict] ?? 'muted';
  return (
    <div className="bg-card my-1 rounded-lg border">
      <span className="bg-bg absolute top-4.5 left-0.5 py-0.5">
        <Shape tone={tone} />
      </span>
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex w-full items-center gap-2 rounded-lg px-4 py-3 text-left"
        >
          <ChevronRight
            className={cn(
              'size-4 shrink-0 transition-transform duration-100',
              isOpen && 'rotate-90',
            )}
            aria-hidden
          />
          <span className="min-w-0 grow">
            <strong className="font-semibold">Attempt {attempt.number}</strong>{' '}
            {attempt.status_code != null ? (
              <span className={tone === 'success' ? 'text-success' : 'text-danger'}>
                {attempt.status_code}
              </span>
            ) : (
              <span className="text-danger">no answer</span>
            )}
            <span className="text-muted numbers"> in {tookText(attempt.duration_ms)}</span>
            {attempt.error && (
              <span className="text-muted block truncate text-[13px]">
                <Foreign text={attempt.error} />
              </span>
            )}
          </span>
          <span className="text-muted text-[13px] max-sm:hidden">
            <Moment at={attempt.started_at} />
          </span>
        </button>
      </h3>
      {isOpen && (
        <div className="space-y-4 border-t px-4 py-4">
          {exchangesOf(attempt).map((exchange, i) => (
            <ExchangeView key={i} exchange={exchange} />
          ))}
          {attempt.note && (
            <p>
              {endpoint} noted: <Foreign text={attempt.note} />
            </p>
          )}
          <p className="text-muted text-[13px]">
            Verdict: {attempt.verdict}. Decided by plugin{' '}
            <span className="font-mono" title={attempt.plugin_digest}>
              {cutMiddle(attempt.plugin_digest.replace('sha256:', ''), 4)}
            </span>
            , with version {attempt.endpoint_version} of the webhook’s settings.
          </p>
        </div>
      )}
    </div>
  );
}
