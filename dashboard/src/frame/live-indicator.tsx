import { Pause, Play } from 'lucide-react';
import { setPaused, useStreamState, type StreamState } from '@/api/stream';
import { Button } from '@/ui/button';
import { Menu, MenuItem, MenuLabel } from '@/ui/menu';
import { Shape } from '@/ui/status';
import type { Tone } from '@/words/delivery';

const STATES: Record<StreamState, { label: string; tone: Tone; says: string }> = {
  live: { label: 'Live', tone: 'success', says: 'What happens is shown as it happens.' },
  connecting: { label: 'Connecting', tone: 'waiting', says: 'Connecting to the stream.' },
  paused: { label: 'Paused', tone: 'muted', says: 'The page stands still until you go on.' },
  offline: { label: 'Offline', tone: 'danger', says: 'The stream is cut; it is tried again.' },
};

export function LiveIndicator() {
  const state = useStreamState();
  const { label, tone, says } = STATES[state];
  return (
    <Menu
      trigger={
        <Button look="quiet" size="small" aria-label={`Updates: ${label}`} className="max-sm:px-2">
          <Shape tone={tone} />
          <span className="max-md:sr-only">{label}</span>
        </Button>
      }
    >
      <MenuLabel>{says}</MenuLabel>
      {state === 'paused' ? (
        <MenuItem onSelect={() => setPaused(false)}>
          <Play /> Go on
        </MenuItem>
      ) : (
        <MenuItem onSelect={() => setPaused(true)}>
          <Pause /> Pause
        </MenuItem>
      )}
    </Menu>
  );
}
