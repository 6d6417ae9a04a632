import { useNavigate } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import { namedNamespace } from '@/api/connection';

const BASE = '/settings/alerts';

interface RowLinkProps {
  to: '/deliveries/$id' | '/webhooks/$id';
  id: string;
  className: string;
  children: ReactNode;
}

/**
 * The link of a row in a list that may be very long. The router's own link works out its address and listens for every
 * change of the page's, which is much for each of fifty rows that a flick of the wheel draws at once.
 */
export function RowLink({ to, id, className, children }: RowLinkProps) {
  const navigate = useNavigate();
  const follow = (event: MouseEvent) => {
    // Whoever wants another tab or window gets it from the browser.
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!isPlain || event.altKey || event.defaultPrevented) return;
    event.preventDefault();
    void navigate({ to, params: { id } });
  };
  return (
    <a href={addressOf(to, id)} onClick={follow} className={className}>
      {children}
    </a>
  );
}

function addressOf(to: string, id: string): string {
  const path = BASE + to.replace('$id', encodeURIComponent(id));
  const namespace = namedNamespace();
  return namespace ? `${path}?ns=${encodeURIComponent(namespace)}` : path;
}
