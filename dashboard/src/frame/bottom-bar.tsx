/** On narrow screens: the four places of every day within a thumb's reach, the others behind “More”. */
import { Link } from '@tanstack/react-router';
import { Menu as MenuIcon } from 'lucide-react';
import { useState } from 'react';
import { Dialog } from '@/ui/dialog';
import { PlaceLinks } from './place-links';
import { PLACES } from './places';

const EVERY_DAY = ['/', '/webhooks', '/rules', '/deliveries'];
const cell = 'flex h-14 flex-col items-center justify-center gap-0.5 text-xs';

export function BottomBar() {
  const [isOpen, setOpen] = useState(false);
  return (
    <nav
      aria-label="Pages, short"
      className="bg-bg fixed inset-x-0 bottom-0 z-30 border-t sm:hidden"
    >
      <ul className="grid grid-cols-5">
        {PLACES.filter((place) => EVERY_DAY.includes(place.to)).map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              activeOptions={{ exact: to === '/', includeSearch: false }}
              activeProps={{ className: 'text-fg font-semibold' }}
              inactiveProps={{ className: 'text-muted' }}
              className={cell}
            >
              <Icon className="size-5" aria-hidden />
              {label}
            </Link>
          </li>
        ))}
        <li>
          <button
            type="button"
            className={`${cell} text-muted w-full`}
            onClick={() => setOpen(true)}
          >
            <MenuIcon className="size-5" aria-hidden />
            More
          </button>
        </li>
      </ul>
      <Dialog title="Pages" isOpen={isOpen} onClose={() => setOpen(false)} shape="sheet">
        <ul className="space-y-1">
          <PlaceLinks layout="sheet" onFollow={() => setOpen(false)} />
        </ul>
      </Dialog>
    </nav>
  );
}

/** Between the two layouts, where there is neither rail nor bar. */
export function PagesButton() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        aria-label="Pages"
        className="hover:bg-accent hidden size-9 items-center justify-center rounded-md sm:flex lg:hidden"
        onClick={() => setOpen(true)}
      >
        <MenuIcon className="size-5" aria-hidden />
      </button>
      <Dialog title="Pages" isOpen={isOpen} onClose={() => setOpen(false)} shape="sheet">
        <ul className="space-y-1">
          <PlaceLinks layout="sheet" onFollow={() => setOpen(false)} />
        </ul>
      </Dialog>
    </>
  );
}
