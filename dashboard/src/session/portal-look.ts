/** What a portal link says of the page's look, put into force while its session lasts. */
import { useLayoutEffect } from 'react';
import type { Session } from '@/api/session';
import { setLinkTheme } from '@/frame/theme';
import { setAccent } from './accent';

export function usePortalLook(portal: Session['portal']) {
  const theme = portal?.theme ?? null;
  const accent = portal?.accent ?? null;
  useLayoutEffect(() => {
    setLinkTheme(theme);
    setAccent(accent);
  }, [theme, accent]);
}
