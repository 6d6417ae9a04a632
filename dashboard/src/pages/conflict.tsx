import { Button } from '@/ui/button';
import { Note } from '@/ui/states';

interface ConflictProps {
  what: string;
  onOverwrite: () => void;
  onTakeTheirs: () => void;
  children?: React.ReactNode;
}

/** Somebody else saved first: nothing is overwritten unless the person says so. */
export function Conflict({ what, onOverwrite, onTakeTheirs, children }: ConflictProps) {
  return (
    <Note tone="waiting">
      <div role="alert" className="space-y-2">
        <p className="font-semibold">Somebody else changed this {what} while you were editing.</p>
        {children}
        <p className="text-muted">
          Your changes are not saved. Keep yours, or take what is there now.
        </p>
        <div className="flex flex-wrap gap-2">
          <Button size="small" onClick={onTakeTheirs}>
            Take theirs
          </Button>
          <Button size="small" look="danger" onClick={onOverwrite}>
            Overwrite with mine
          </Button>
        </div>
      </div>
    </Note>
  );
}
