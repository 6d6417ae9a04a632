/** `/` from anywhere: names, ids and run ids, and the page they lead to. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useId, useState } from 'react';
import { newestEventsQuery } from '@/api/events';
import { useRules } from '@/api/rules';
import { useEndpoints } from '@/api/webhooks';
import { cn } from '@/ui/cn';
import { controlClass } from '@/ui/field';
import { popupClass } from '@/ui/menu';
import { Foreign } from '@/ui/stranger-text';
import { eventTargets, searchTargets, type Target } from './search-targets';

export function GlobalSearch() {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  return (
    <div
      className="relative w-9 transition-[width] focus-within:w-44 sm:w-56 sm:focus-within:w-64"
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
    >
      <Search
        className="text-muted pointer-events-none absolute top-2.5 left-2.5 size-4"
        aria-hidden
      />
      <SearchInput text={text} setText={setText} isOpen={isOpen} setOpen={setOpen} />
    </div>
  );
}

interface SearchInputProps {
  text: string;
  setText: (text: string) => void;
  isOpen: boolean;
  setOpen: (isOpen: boolean) => void;
}

function SearchInput({ text, setText, isOpen, setOpen }: SearchInputProps) {
  const listId = useId();
  const [marked, setMarked] = useState(0);
  const navigate = useNavigate();
  const endpoints = useEndpoints();
  const rules = useRules();
  const isAsking = isOpen && text.trim().length > 2;
  const events = useQuery({ ...newestEventsQuery({}, 200), enabled: isAsking, staleTime: 30_000 });
  const found: Target[] = [
    ...searchTargets(text, endpoints.items, rules.items),
    ...eventTargets(text, events.data?.data ?? []),
  ].slice(0, 10);
  const go = (target: Target) => {
    setText('');
    setOpen(false);
    (document.activeElement as HTMLElement | null)?.blur();
    void navigate({ to: target.to, params: { id: target.id } });
  };
  const isShown = isOpen && text.trim() !== '';
  return (
    <>
      <input
        id="global-search"
        type="search"
        role="combobox"
        aria-label="Search names, ids and runs"
        aria-expanded={isShown}
        aria-controls={listId}
        aria-activedescendant={isShown && found[marked] ? `${listId}-${marked}` : undefined}
        autoComplete="off"
        placeholder="Search   /"
        value={text}
        className={cn(controlClass, 'pl-8 max-sm:placeholder:text-transparent')}
        onFocus={() => setOpen(true)}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setMarked(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setMarked(Math.min(marked + 1, found.length - 1));
          else if (event.key === 'ArrowUp') setMarked(Math.max(marked - 1, 0));
          else if (event.key === 'Enter' && found[marked]) go(found[marked]);
          else if (event.key === 'Escape') {
            setText('');
            event.currentTarget.blur();
          } else return;
          event.preventDefault();
        }}
      />
      <div
        className={cn(
          popupClass,
          'absolute right-0 mt-1.5 w-80 max-w-[90vw]',
          !isShown && 'hidden',
        )}
      >
        <ul id={listId} role="listbox" aria-label="Found">
          {found.map((target, i) => (
            // The keyboard works from the search field, by `aria-activedescendant`.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={target.id}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === marked}
              tabIndex={-1}
              onClick={() => go(target)}
              onMouseMove={() => setMarked(i)}
              className={cn(
                'flex cursor-pointer items-baseline gap-3 rounded-md px-2.5 py-1.5',
                i === marked && 'bg-accent',
              )}
            >
              <span className="text-muted w-16 shrink-0 text-[13px]">{target.kind}</span>
              <span className="truncate">
                <Foreign text={target.name} />
              </span>
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p role="status" className="text-muted px-2.5 py-1.5">
            {isAsking && events.isFetching
              ? 'Searching…'
              : 'Nothing has this name, id or run. Older runs are found under Events.'}
          </p>
        )}
      </div>
    </>
  );
}
