import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button';
import { cn } from './cn';

/** Copies, also where the clipboard API is closed because the page came by plain HTTP. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

function useCopied(): [boolean, (text: string) => void] {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return [isCopied, (text) => void copyText(text).then(setCopied)];
}

export function CopyButton({
  text,
  label,
  className,
}: {
  text: string;
  label: string;
  className?: string;
}) {
  const [isCopied, copy] = useCopied();
  return (
    <Button size="small" className={className} onClick={() => copy(text)}>
      {isCopied ? <Check /> : <Copy />}
      <span aria-live="polite">{isCopied ? 'Copied' : label}</span>
    </Button>
  );
}

/** An id cut in the middle; a click copies the whole. */
export function Id({ id, className }: { id: string; className?: string }) {
  const [isCopied, copy] = useCopied();
  return (
    <button
      type="button"
      title={`${id} (click to copy)`}
      onClick={(event) => {
        event.preventDefault();
        event.stopPropagation();
        copy(id);
      }}
      className={cn('text-muted hover:text-fg rounded-sm font-mono text-[13px]', className)}
    >
      <span aria-live="polite">{isCopied ? 'copied' : cutMiddle(id)}</span>
    </button>
  );
}

export function cutMiddle(id: string, keep = 6): string {
  const prefix = /^[a-z]+_/.exec(id)?.[0] ?? '';
  if (id.length <= prefix.length + keep * 2 + 1) return id;
  return `${id.slice(0, prefix.length + 2)}…${id.slice(-keep)}`;
}
