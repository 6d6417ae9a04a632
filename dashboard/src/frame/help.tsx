import { Dialog } from '@/ui/dialog';
import { usePlaces } from './place-links';

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const places = usePlaces();
  const keys: [string[], string][] = [
    [['/'], 'Search for a name, an id or a run'],
    [['c'], 'Create a rule'],
    [['?'], 'This help'],
    [['Esc'], 'Close what is open'],
    ...places.map((place): [string[], string] => [['g', place.letter], `Go to ${place.label}`]),
  ];
  return (
    <Dialog title="Keyboard" isOpen={isOpen} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2.5">
        {keys.map(([pressed, does]) => (
          <div key={does} className="contents">
            <dt className="flex gap-1">
              {pressed.map((each) => (
                <kbd
                  key={each}
                  className="bg-accent min-w-6 rounded border px-1.5 py-0.5 text-center font-mono text-[13px]"
                >
                  {each}
                </kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className="text-muted mt-6">
        The API behind these pages is described at{' '}
        <a className="text-link underline" href="/docs" target="_blank" rel="noreferrer">
          /docs
        </a>
        .
      </p>
    </Dialog>
  );
}
