/** Chooses the namespace that a platform key acts for: typed to narrow down, the recent ones first. */
import { useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useId, useState } from 'react';
import { useTenants } from '@/api/operators';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Input } from '@/ui/field';
import { popupClass } from '@/ui/menu';
import { recentNamespaces, rememberNamespace } from './recent-namespaces';

/** More than this is narrowed down by typing. */
const SHOWN = 50;

export function NamespaceSelect({ namespace }: { namespace: string | null }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button
          size="small"
          aria-label={`Namespace: ${namespace ?? 'none chosen'}`}
          className="min-w-0 max-w-48"
        >
          <span className="stranger truncate">{namespace ?? 'Choose a namespace'}</span>
          <ChevronsUpDown className="text-muted" />
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={6}
          aria-label="Namespaces"
          className={cn(popupClass, 'w-72 p-2')}
        >
          <NamespaceList onChosen={() => setOpen(false)} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

export function NamespaceList({ onChosen }: { onChosen?: () => void }) {
  const { items } = useTenants();
  const [text, setText] = useState('');
  const [marked, setMarked] = useState(0);
  const navigate = useNavigate();
  const listId = useId();
  const needle = text.trim().toLowerCase();
  const names = [...new Set([...recentNamespaces(), ...items.map((tenant) => tenant.name)])];
  const found = names.filter((name) => name.toLowerCase().includes(needle)).slice(0, SHOWN);
  // A namespace begins with its first use, so one that is not listed can be named.
  const isNew = text.trim() !== '' && !names.includes(text.trim());
  const shown = isNew ? [...found, text.trim()] : found;
  const choose = (name: string) => {
    rememberNamespace(name);
    void navigate({ to: '/', search: { ns: name } });
    onChosen?.();
  };
  return (
    <>
      <Input
        role="combobox"
        aria-label="Search namespaces"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={shown[marked] ? `${listId}-${marked}` : undefined}
        autoFocus
        placeholder="Search namespaces"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setMarked(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setMarked(Math.min(marked + 1, shown.length - 1));
          else if (event.key === 'ArrowUp') setMarked(Math.max(marked - 1, 0));
          else if (event.key === 'Enter' && shown[marked]) choose(shown[marked]);
          else return;
          event.preventDefault();
        }}
      />
      <ul
        id={listId}
        role="listbox"
        aria-label="Namespaces"
        className="mt-2 max-h-72 overflow-y-auto"
      >
        {shown.map((name, i) => (
          // The keyboard works from the search field, by `aria-activedescendant`.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={name}
            id={`${listId}-${i}`}
            role="option"
            aria-selected={i === marked}
            onClick={() => choose(name)}
            onMouseMove={() => setMarked(i)}
            className={cn(
              'stranger cursor-pointer truncate rounded-md px-2.5 py-1.5',
              i === marked && 'bg-accent',
            )}
          >
            {name}
            {isNew && i === shown.length - 1 && <span className="text-muted"> (new)</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
