/** The frame around every page: who is there decides whether it is the sign-in or the dashboard. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useLocation, useSearch } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { useEffect } from 'react';
import { useConnection } from '@/api/connection';
import { ApiProblem } from '@/api/problem';
import { sessionQuery, type Session } from '@/api/session';
import { useStream } from '@/api/stream';
import { OpenLink } from '@/session/open-link';
import { usePortalLook } from '@/session/portal-look';
import { SignIn } from '@/session/sign-in';
import { Failure } from '@/ui/states';
import { Banner } from './banner';
import { BottomBar } from './bottom-bar';
import { ChooseNamespace } from './choose-namespace';
import { Header } from './header';
import { HelpDialog } from './help';
import { Rail } from './rail';
import { useShortcuts } from './shortcuts';

/** While somebody is to sign in again, here or elsewhere. */
const ASK_WHO_MS = 5_000;

export function App() {
  const isAtLink = useLocation({ select: ({ pathname }) => pathname.endsWith('/portal') });
  return isAtLink ? <OpenLink /> : <Dashboard />;
}

function Dashboard() {
  const { isExpired, isOfOtherSession, leftPortal } = useConnection();
  // Whoever has signed in again in another tab goes on here as well.
  const session = useQuery({
    ...sessionQuery,
    refetchOnWindowFocus: 'always',
    refetchInterval: isExpired ? ASK_WHO_MS : false,
  });
  const client = useQueryClient();
  useEffect(() => {
    if (!isOfOtherSession) return;
    void client
      .refetchQueries({ queryKey: sessionQuery.queryKey })
      .then(() => client.invalidateQueries({ predicate: ({ state }) => state.error !== null }));
  }, [isOfOtherSession, client]);
  usePortalLook(session.data?.portal);
  if (session.isPending) return <Blank />;
  const isSignedOut = session.error instanceof ApiProblem && session.error.status === 401;
  if (isSignedOut && !session.data) return <SignIn portal={leftPortal} />;
  if (!session.data) {
    return (
      <main className="mx-auto max-w-xl p-6 pt-24">
        <Failure error={session.error} onRetry={() => void session.refetch()} />
      </main>
    );
  }
  return (
    <>
      {/* Another namespace is another dashboard: nothing that was written or read stays. */}
      <Frame key={session.data.namespace ?? ''} session={session.data} />
      {(isExpired || isSignedOut) && <SignInAgain portal={session.data.portal} />}
    </>
  );
}

function Frame({ session }: { session: Session }) {
  const tenant = session.namespace ?? null;
  const { ns } = useSearch({ from: '__root__' });
  const namespace = tenant ?? ns ?? null;
  const { isExpired } = useConnection();
  useStream(tenant ? null : namespace, !isExpired && namespace !== null);
  const help = useShortcuts();
  return (
    <>
      <a
        href="#content"
        className="bg-primary text-on-primary sr-only z-60 rounded-md px-3 py-2 focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to the content
      </a>
      <Header
        tenant={tenant}
        namespace={namespace}
        returnUrl={session.portal?.return_url}
        onHelp={help.open}
      />
      <Banner />
      <div className="mx-auto flex w-full max-w-[96rem] min-[160rem]:max-w-[128rem]">
        <Rail />
        <main
          id="content"
          tabIndex={-1}
          className="min-w-0 grow px-4 py-6 outline-none max-sm:pb-24 sm:px-6"
        >
          <div className="mx-auto max-w-7xl min-[160rem]:max-w-[112rem]">
            {namespace === null ? (
              <ChooseNamespace />
            ) : (
              // Another namespace is another page: nothing of the one before is kept.
              <Outlet key={namespace} />
            )}
          </div>
        </main>
      </div>
      <BottomBar />
      <HelpDialog isOpen={help.isOpen} onClose={help.close} />
    </>
  );
}

/**
 * In front of the page, which stays as it is, so that a half-written form is not lost. A dialog of its own, since a
 * form may stand in one, which would keep the keyboard to itself.
 */
function SignInAgain({ portal }: Pick<Session, 'portal'>) {
  return (
    <Dialog.Root open>
      <Dialog.Portal>
        <Dialog.Content
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => event.preventDefault()}
          className="bg-bg fixed inset-0 z-70 overflow-y-auto"
        >
          <Dialog.Title asChild>
            <span className="sr-only">Sign in again</span>
          </Dialog.Title>
          <SignIn isExpired portal={portal} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Blank() {
  return (
    <div role="status" aria-label="Loading" className="h-dvh">
      <div className="h-16 border-b" />
    </div>
  );
}
