import { useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, LogOut } from 'lucide-react';
import { connection } from '@/api/connection';
import { sessionQuery, signOut } from '@/api/session';
import { localTime } from '@/format/time';
import { Button } from '@/ui/button';
import { Menu, MenuItem, MenuLabel, MenuLine } from '@/ui/menu';
import { toast } from '@/ui/toast';

const ROLES: Record<string, string> = {
  viewer: 'Viewer: sees everything, changes nothing',
  editor: 'Editor: webhooks, rules, deliveries',
  admin: 'Admin: an editor, and keys',
  platform: 'Platform: any namespace, and the host',
};

export function KeyMenu() {
  const { data: session } = useQuery(sessionQuery);
  const client = useQueryClient();
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      toast.failed(error);
      return;
    }
    connection.set({
      csrfToken: null,
      isExpired: false,
      leftPortal: session?.portal ?? null,
    });
    client.clear();
    await client.resetQueries({ queryKey: sessionQuery.queryKey });
  };
  return (
    <Menu
      trigger={
        <Button look="quiet" size="icon" aria-label="Your key">
          <KeyRound />
        </Button>
      }
    >
      <MenuLabel>{ROLES[session?.role ?? ''] ?? 'Your key'}</MenuLabel>
      {session && <MenuLabel>Signed in until {localTime(session.expires_at)}</MenuLabel>}
      <MenuLine />
      <MenuItem onSelect={() => void leave()}>
        <LogOut /> Sign out
      </MenuItem>
    </Menu>
  );
}
