/** Text that strangers wrote (bodies, events, manifests): shown as text, cut when it is long, its direction kept inside. */
import { useState } from 'react';
import { bytesText } from '@/format/number';
import { Button } from './button';
import { cn } from './cn';
import { CopyButton } from './copy';

/** More than this at once makes a page slow to lay out, and nobody reads it. */
const SHOWN_CHARS = 4_000;

/**
 * Characters that are not seen but change how text reads, made visible. Not those that honest text needs: joiners (emoji,
 * Persian) and the marks of direction, which reach no further than the letter beside them.
 */
const HIDDEN = /[\u200b\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `‹U+${char.codePointAt(0)?.toString(16).toUpperCase()}›`);
}

/** Indented when it is JSON; as it is when not. */
export function pretty(text: string): string {
  if (!/^\s*[{[]/.test(text) || text.length > 200_000) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

interface StrangerTextProps {
  text: string;
  label: string;
  className?: string;
}

export function StrangerText({ text, label, className }: StrangerTextProps) {
  const [isWhole, setWhole] = useState(false);
  if (text === '') return <p className="text-muted text-[13px]">empty</p>;
  const formatted = pretty(text);
  const isLong = formatted.length > SHOWN_CHARS;
  const shown = visible(isLong && !isWhole ? formatted.slice(0, SHOWN_CHARS) : formatted);
  return (
    <div className={className}>
      <pre
        dir="ltr"
        tabIndex={0}
        aria-label={label}
        className={cn(
          'stranger bg-bg max-h-96 overflow-auto rounded-md border p-3 font-mono text-xs leading-5 whitespace-pre-wrap',
        )}
      >
        {shown}
        {isLong && !isWhole && '…'}
      </pre>
      <div className="mt-2 flex flex-wrap gap-2">
        {isLong && (
          <Button size="small" onClick={() => setWhole(!isWhole)}>
            {isWhole ? 'Show less' : `Show all ${bytesText(text.length)}`}
          </Button>
        )}
        <CopyButton text={text} label="Copy" />
      </div>
    </div>
  );
}

/** A short text of strangers within a line. */
export function Foreign({ text, className }: { text: string; className?: string }) {
  const cut = text.length > 300 ? `${text.slice(0, 299)}…` : text;
  return <bdi className={cn('stranger', className)}>{visible(cut)}</bdi>;
}
