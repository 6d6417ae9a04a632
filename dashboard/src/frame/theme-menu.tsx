import { Monitor, Moon, Sun } from 'lucide-react';
import { Button } from '@/ui/button';
import { Menu, MenuChoices } from '@/ui/menu';
import { setTheme, useTheme, type Theme } from './theme';

const CHOICES: [Theme, string][] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

export function ThemeMenu() {
  const theme = useTheme();
  const Icon = { system: Monitor, light: Sun, dark: Moon }[theme];
  return (
    <Menu
      trigger={
        <Button look="quiet" size="icon" aria-label="Colours">
          <Icon />
        </Button>
      }
    >
      <MenuChoices value={theme} onChange={setTheme} choices={CHOICES} />
    </Menu>
  );
}
