/** What a page shows when there is nothing to show: loading, empty, nothing matches, error. */
import { CircleAlert, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiProblem, messageOf, Unreachable } from '@/api/problem';
import { Button } from './button';
import { cn } from './cn';

/** Grey bars in the place of what comes, so that nothing jumps. */
export function Skeleton({ rows = 6, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="space-y-3 py-2">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="bg-accent h-9 animate-pulse rounded-md" />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
  className?: string;
}

export function Empty({ title, children, action, icon, className }: EmptyProps) {
  return (
    <div
      className={cn(
        'flex flex-col items-center gap-2 rounded-lg border border-dashed px-6 py-14 text-center',
        className,
      )}
    >
      {icon && <div className="text-muted [&_svg]:size-7">{icon}</div>}
      <h2 className="text-base font-semibold">{title}</h2>
      {children && <div className="text-muted max-w-md">{children}</div>}
      {action && <div className="mt-3">{action}</div>}
    </div>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const isForbidden = error instanceof ApiProblem && error.status === 403;
  const title = isForbidden
    ? 'Your key may not see this'
    : error instanceof Unreachable
      ? 'The server does not answer'
      : error instanceof ApiProblem && error.status === 404
        ? 'There is nothing here'
        : 'This could not be loaded';
  return (
    <div role="alert">
      <Empty
        title={title}
        icon={isForbidden ? <Lock /> : <CircleAlert />}
        action={onRetry && !isForbidden && <Button onClick={onRetry}>Try again</Button>}
      >
        <span className="stranger">{messageOf(error)}</span>
      </Empty>
    </div>
  );
}

export function InlineError({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <p role="alert" className="border-danger/50 text-danger stranger rounded-md border px-3 py-2">
      {messageOf(error)}
    </p>
  );
}

export function Note({
  tone,
  children,
}: {
  tone: 'danger' | 'waiting' | 'plain';
  children: ReactNode;
}) {
  const look = {
    danger: 'border-danger/50',
    waiting: 'border-waiting/50',
    plain: 'border-line',
  }[tone];
  return <div className={cn('bg-card rounded-lg border px-4 py-3', look)}>{children}</div>;
}
