import { Link } from '@tanstack/react-router';
import { CircleHelp } from 'lucide-react';
import { BackLink } from '@/session/back-link';
import { Button } from '@/ui/button';
import { PagesButton } from './bottom-bar';
import { GlobalSearch } from './global-search';
import { KeyMenu } from './key-menu';
import { LiveIndicator } from './live-indicator';
import { NamespaceSelect } from './namespace-select';
import { ThemeMenu } from './theme-menu';

interface HeaderProps {
  /** The namespace of a tenant's key; null for a platform key, which chooses. */
  tenant: string | null;
  namespace: string | null;
  /** Where the portal link leads back to that opened the session. */
  returnUrl: string | null | undefined;
  onHelp: () => void;
}

export function Header({ tenant, namespace, returnUrl, onHelp }: HeaderProps) {
  return (
    <header className="bg-bg sticky top-0 z-30 flex h-16 items-center gap-2 border-b px-4 sm:gap-3 sm:px-6">
      <PagesButton />
      <Link
        to="/"
        className="flex shrink-0 items-center gap-2 font-bold"
        aria-label="Exosphere Alerts, overview"
      >
        <Logo />
        <span className="hidden md:inline">
          Exosphere <span className="text-muted font-normal">Alerts</span>
        </span>
      </Link>
      {tenant ? (
        <span
          className="text-muted stranger max-w-40 truncate border-l pl-3"
          title="The namespace of your key"
        >
          {tenant}
        </span>
      ) : (
        <NamespaceSelect namespace={namespace} />
      )}
      <BackLink url={returnUrl} isShort />
      <div className="grow" />
      {namespace !== null && <GlobalSearch />}
      {namespace !== null && <LiveIndicator />}
      <Button
        look="quiet"
        size="icon"
        aria-label="Keyboard shortcuts and help"
        className="max-sm:hidden"
        onClick={onHelp}
      >
        <CircleHelp />
      </Button>
      <ThemeMenu />
      <KeyMenu />
    </header>
  );
}

export function Logo() {
  return (
    <svg viewBox="0 0 32 32" className="text-primary size-7" aria-hidden>
      <circle cx="16" cy="16" r="5" fill="currentColor" />
      <path
        d="M16 4a12 12 0 0 1 12 12M16 28A12 12 0 0 1 4 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
