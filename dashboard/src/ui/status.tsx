/** States by colour and by shape, for those who do not see the colour. */
import type { ReactNode } from 'react';
import type { DeliveryStatus } from '@/api/types';
import { STATUS, type Tone } from '@/words/delivery';
import { cn } from './cn';

const TEXT: Record<Tone, string> = {
  success: 'text-success',
  danger: 'text-danger',
  waiting: 'text-waiting',
  flight: 'text-flight',
  muted: 'text-muted',
};

/** Dot: good. Triangle: failed. Square: waiting. Diamond: in flight. Ring: off. */
export function Shape({ tone, className }: { tone: Tone; className?: string }) {
  return (
    <svg
      viewBox="0 0 10 10"
      className={cn('size-2.5 shrink-0 fill-current', TEXT[tone], className)}
      aria-hidden
    >
      {tone === 'success' && <circle cx="5" cy="5" r="4.5" />}
      {tone === 'danger' && <path d="M5 .5 9.8 9.3H.2Z" />}
      {tone === 'waiting' && <rect x="1" y="1" width="8" height="8" rx="1" />}
      {tone === 'flight' && <path d="M5 0 10 5 5 10 0 5Z" />}
      {tone === 'muted' && (
        <circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" strokeWidth="1.6" />
      )}
    </svg>
  );
}

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className={cn(
        'inline-flex items-center gap-1.5 rounded-full text-[13px] font-medium whitespace-nowrap',
        TEXT[tone],
      )}
    >
      <Shape tone={tone} />
      {children}
    </span>
  );
}

export function DeliveryBadge({ status }: { status: DeliveryStatus }) {
  const { label, tone } = STATUS[status] ?? { label: status, tone: 'muted' };
  return <Badge tone={tone}>{label}</Badge>;
}
