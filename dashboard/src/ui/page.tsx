/** The head of a page, and the card that its parts stand in. */
import type { LucideIcon } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';
import { cn } from './cn';
import { visible } from './stranger-text';

interface PageProps {
  title: string;
  subtitle?: ReactNode;
  icon?: LucideIcon;
  actions?: ReactNode;
  above?: ReactNode;
  children: ReactNode;
}

export function Page({ title, subtitle, icon: Icon, actions, above, children }: PageProps) {
  useEffect(() => {
    document.title = `${visible(title)} · Alerts`;
  }, [title]);
  return (
    <div className="space-y-6">
      <div>
        {above && <div className="text-muted mb-2 text-[13px]">{above}</div>}
        <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
          <div className="min-w-0 grow basis-full sm:basis-0">
            <h1 className="flex items-center gap-2.5 text-xl font-bold">
              {Icon && <Icon className="size-5 shrink-0" aria-hidden />}
              <bdi className="stranger min-w-0">{visible(title)}</bdi>
            </h1>
            {subtitle && <div className="text-muted mt-1">{subtitle}</div>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </div>
      </div>
      {children}
    </div>
  );
}

interface CardProps {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Card({ title, aside, children, className }: CardProps) {
  return (
    <section className={cn('bg-card min-w-0 rounded-lg border p-4 sm:p-5', className)}>
      {(title || aside) && (
        <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
          <h2 className="font-semibold">{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

/** Terms and their values, two columns. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(7rem,auto)_1fr] gap-x-4 gap-y-2">
      {facts.map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="stranger min-w-0 [&_time]:whitespace-normal">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
