import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { countsQuery } from '@/api/deliveries';
import { useConnection } from '@/api/connection';
import { useRole } from '@/api/session';
import type { Role } from '@/api/types';
import { boundedText } from '@/format/number';
import { cn } from '@/ui/cn';
import { PLACES, type Place } from './places';

const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, platform: 3 };

export function usePlaces(): Place[] {
  const role = useRole();
  return PLACES.filter((place) => RANK[role] >= RANK[place.role]);
}

/** How many dead letters wait for somebody to send them again. */
function useDeadCount(): string | null {
  // Drawn anew with another namespace: the count is that one's then.
  useConnection();
  const { data } = useQuery({ ...countsQuery(), retry: false });
  if (!data || data.to_redrive === 0) return null;
  return boundedText(data.to_redrive, data.most_counted);
}

interface PlaceLinksProps {
  layout: 'rail' | 'sheet';
  onFollow?: () => void;
}

export function PlaceLinks({ layout, onFollow }: PlaceLinksProps) {
  const places = usePlaces();
  const dead = useDeadCount();
  return places.map(({ to, label, icon: Icon }) => (
    <li key={to}>
      <Link
        to={to}
        onClick={() => onFollow?.()}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        activeProps={{ className: 'bg-accent font-semibold text-fg' }}
        inactiveProps={{ className: 'text-muted hover:text-fg hover:bg-accent/60' }}
        className={cn(
          'flex items-center gap-2.5 rounded-md px-3',
          layout === 'rail' ? 'h-9' : 'h-12 text-base',
        )}
      >
        <Icon className="size-4 shrink-0" aria-hidden />
        <span className="grow">{label}</span>
        {to === '/dead-letters' && dead && (
          <span className="text-danger numbers text-[13px] font-semibold">{dead}</span>
        )}
      </Link>
    </li>
  ));
}
