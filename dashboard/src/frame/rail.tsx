import { PlaceLinks } from './place-links';

export function Rail() {
  return (
    <nav
      aria-label="Pages"
      className="sticky top-16 hidden h-[calc(100dvh-4rem)] w-52 shrink-0 overflow-y-auto border-r px-3 py-6 lg:block"
    >
      <ul className="space-y-0.5">
        <PlaceLinks layout="rail" />
      </ul>
    </nav>
  );
}
