/** Keys for those who know their way: `/` searches, `?` helps, `g` and a letter goes to a page, `c` creates. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { usePlaces } from './place-links';

/** A letter that comes later than this after `g` means itself. */
const PAIR_MS = 1_200;

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.shadowRoot !== null ||
      ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

export function useShortcuts() {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const places = usePlaces();
  useEffect(() => {
    let goAt: number | null = null;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]')) return;
      if (event.key === '?') setOpen(true);
      else if (event.key === '/') document.getElementById('global-search')?.focus();
      else if (event.key === 'c') void navigate({ to: '/rules/new', search: {} });
      else if (event.key === 'g') {
        goAt = event.timeStamp;
        return;
      } else {
        const isSecond = goAt !== null && event.timeStamp - goAt < PAIR_MS;
        goAt = null;
        const place = isSecond && places.find((each) => each.letter === event.key);
        // Every other key means what it means anywhere: Tab, Enter, the space bar.
        if (!place) return;
        void navigate({ to: place.to, search: {} });
      }
      goAt = null;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, places]);
  return { isOpen, open: () => setOpen(true), close: () => setOpen(false) };
}
