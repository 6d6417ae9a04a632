import { CopyButton } from '@/ui/copy';
import { Note } from '@/ui/states';

/** A secret that is shown this once. */
export function SecretOnce({
  secret,
  label = 'Signing secret',
  use = 'Your receiver needs it to check that alerts are from here.',
}: {
  secret: string;
  label?: string;
  /** Who needs it, and what for. */
  use?: string;
}) {
  return (
    <Note tone="waiting">
      <h3 className="font-semibold">{label}, shown this once</h3>
      <p className="text-muted mt-1">{use} Keep it where secrets are kept.</p>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        <code
          className="bg-bg stranger rounded-md border px-3 py-1.5 font-mono text-[13px]"
          data-secret
        >
          {secret}
        </code>
        <CopyButton text={secret} label="Copy" />
      </div>
    </Note>
  );
}
