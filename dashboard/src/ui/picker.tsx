/**
 * Chooses one of the tenant's things by its name: a select while they are few, and a search where there are more than
 * anybody would look through, so that no page holds ten thousand options.
 */
import { useId, useState, type ComponentProps, type KeyboardEvent } from 'react';
import { cn } from './cn';
import { Input, Select } from './field';
import { popupClass } from './menu';
import { Foreign } from './stranger-text';

/** More than this is searched. */
const MOST_OPTIONS = 200;
/** Found at once; more is narrowed down by typing. */
const SHOWN = 50;

interface Named {
  id: string;
  name: string;
}

interface PickerProps extends Pick<
  ComponentProps<'select'>,
  'id' | 'required' | 'className' | 'aria-label' | 'aria-describedby' | 'aria-invalid'
> {
  items: Named[];
  /** The id of what is chosen; empty for none. */
  value: string;
  onChange: (id: string) => void;
  /** What it says when none is chosen. */
  none: string;
}

export function Picker(props: PickerProps) {
  return props.items.length > MOST_OPTIONS ? <Search {...props} /> : <Few {...props} />;
}

function Few({ items, value, onChange, none, ...rest }: PickerProps) {
  return (
    <Select {...rest} value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">{none}</option>
      {items.map((item) => (
        <option key={item.id} value={item.id}>
          {item.name}
        </option>
      ))}
    </Select>
  );
}

function Search({ items, value, onChange, none, className, ...rest }: PickerProps) {
  /** What is typed; null while nothing is searched. */
  const [text, setText] = useState<string | null>(null);
  const [marked, setMarked] = useState(0);
  const listId = useId();
  const needle = text?.trim().toLowerCase() ?? '';
  const found = text === null ? [] : matching(items, needle);
  // The way to none is the first in the list, as in a select.
  const shown = text === null ? [] : needle === '' ? [{ id: '', name: none }, ...found] : found;
  const chosen = items.find((item) => item.id === value);
  const choose = (item: Named) => {
    onChange(item.id);
    setText(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const item = shown[marked];
    if (event.key === 'ArrowDown') {
      if (text === null) setText('');
      else setMarked(Math.min(marked + 1, shown.length - 1));
    } else if (event.key === 'ArrowUp') setMarked(Math.max(marked - 1, 0));
    else if (event.key === 'Enter' && item) choose(item);
    else if (event.key === 'Escape' && text !== null) setText(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={cn('relative', className)} onBlur={() => setText(null)}>
      <Input
        {...rest}
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls={listId}
        aria-activedescendant={shown[marked] ? `${listId}-${marked}` : undefined}
        autoComplete="off"
        placeholder={none}
        value={text ?? chosen?.name ?? value}
        onFocus={(event) => event.target.select()}
        onClick={() => setText((now) => now ?? '')}
        onChange={(event) => {
          setText(event.target.value);
          setMarked(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul
        id={listId}
        role="listbox"
        aria-label={rest['aria-label'] ?? none}
        className={cn(
          popupClass,
          'absolute inset-x-0 mt-1 max-h-72 min-w-48 overflow-y-auto',
          shown.length === 0 && 'hidden',
        )}
      >
        {shown.map((item, i) => (
          // The keyboard works from the field, by `aria-activedescendant`.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={item.id}
            id={`${listId}-${i}`}
            role="option"
            aria-selected={i === marked}
            tabIndex={-1}
            // Before the field loses the keyboard, and with it the list.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(item)}
            onMouseMove={() => setMarked(i)}
            className={cn(
              'cursor-pointer truncate rounded-md px-2.5 py-1.5',
              i === marked && 'bg-accent',
            )}
          >
            <Foreign text={item.name} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The first of those whose name or id holds the text. */
function matching(items: Named[], needle: string): Named[] {
  const found: Named[] = [];
  for (const item of items) {
    if (item.name.toLowerCase().includes(needle) || item.id === needle) found.push(item);
    if (found.length === SHOWN) break;
  }
  return found;
}
