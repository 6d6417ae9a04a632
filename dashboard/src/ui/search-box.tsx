import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Input } from './field';

interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** Tells of what was typed after a short rest, so that the address does not change with every letter. */
export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const [text, setText] = useState(value);
  // What the address says is taken over, unless it only says what was typed here.
  const [known, setKnown] = useState(value);
  if (value !== known) {
    setKnown(value);
    setText(value);
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div className="relative w-full sm:w-72">
      <Search
        className="text-muted pointer-events-none absolute top-2.5 left-2.5 size-4"
        aria-hidden
      />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        className="pl-8"
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            setKnown(next.trim());
            onChange(next.trim());
          }, 150);
        }}
      />
    </div>
  );
}
