/** The places that the rail and the bar lead to. */
import {
  Bell,
  Building2,
  Inbox,
  KeyRound,
  LayoutDashboard,
  ListChecks,
  MailX,
  Puzzle,
  Radar,
  ScrollText,
  Server,
  Webhook,
  type LucideIcon,
} from 'lucide-react';
import type { Role } from '@/api/types';

export interface Place {
  to:
    | '/'
    | '/webhooks'
    | '/rules'
    | '/deliveries'
    | '/events'
    | '/dead-letters'
    | '/plugins'
    | '/tenants'
    | '/keys'
    | '/hosts'
    | '/sources'
    | '/audit';
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  letter: string;
  role: Role;
}

export const PLACES: Place[] = [
  { to: '/', label: 'Overview', icon: LayoutDashboard, letter: 'o', role: 'viewer' },
  { to: '/webhooks', label: 'Webhooks', icon: Webhook, letter: 'w', role: 'viewer' },
  { to: '/rules', label: 'Rules', icon: ListChecks, letter: 'r', role: 'viewer' },
  { to: '/deliveries', label: 'Deliveries', icon: Bell, letter: 'd', role: 'viewer' },
  { to: '/events', label: 'Events', icon: Inbox, letter: 'e', role: 'viewer' },
  { to: '/dead-letters', label: 'Dead letters', icon: MailX, letter: 'l', role: 'viewer' },
  { to: '/plugins', label: 'Plugins', icon: Puzzle, letter: 'p', role: 'platform' },
  { to: '/tenants', label: 'Tenants', icon: Building2, letter: 't', role: 'platform' },
  { to: '/hosts', label: 'Hosts', icon: Server, letter: 'h', role: 'platform' },
  { to: '/sources', label: 'Sources', icon: Radar, letter: 's', role: 'viewer' },
  { to: '/keys', label: 'Keys', icon: KeyRound, letter: 'k', role: 'admin' },
  { to: '/audit', label: 'Audit', icon: ScrollText, letter: 'a', role: 'viewer' },
];
