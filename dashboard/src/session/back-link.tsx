import { ArrowLeft } from 'lucide-react';
import { Button } from '@/ui/button';
import { Foreign } from '@/ui/stranger-text';
import { returnAddressOf } from './return-address';

/** Leads back to the page that gave the portal link; nothing when it named none. */
export function BackLink({ url, isShort }: { url: string | null | undefined; isShort?: boolean }) {
  const back = returnAddressOf(url);
  if (!back) return null;
  return (
    <Button asChild size="small" className={isShort ? 'max-sm:px-2' : undefined}>
      <a href={back.href} target={back.target} rel="noreferrer" aria-label={`Back to ${back.host}`}>
        <ArrowLeft aria-hidden />
        <span className={isShort ? 'max-w-48 truncate max-lg:sr-only' : 'min-w-0 truncate'}>
          Back to <Foreign text={back.host} />
        </span>
      </a>
    </Button>
  );
}
