/** Light, dark, or as the system has it. `public/theme.js` reads the same choices before the first paint. */
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

/** The person's own choice. */
const KEY = 'alerts.theme';
/** What a portal link asked for, in this tab; `OWN` once the person has chosen otherwise. */
const LINK_KEY = 'alerts.link-theme';
const OWN = 'own';

const systemIsLight = matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();
/** What was chosen on this page: storage may be blocked in a frame. */
let chosen: Theme | null = null;
/** What the link asks for; unknown until the session is. */
let ofLink: 'light' | 'dark' | null | undefined;

export function getTheme(): Theme {
  const link = ofLink === undefined ? named(read(tabStorage, LINK_KEY)) : ofLink;
  return chosen ?? link ?? named(read(browserStorage, KEY)) ?? 'system';
}

// Reached by functions, since a frame whose storage is blocked may not even name it.
const browserStorage = () => localStorage;
const tabStorage = () => sessionStorage;

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string | null) {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    // The choice holds for this page then.
  }
}

const named = (kept: string | null) => (kept === 'light' || kept === 'dark' ? kept : null);

export function setTheme(theme: Theme) {
  chosen = theme;
  write(browserStorage, KEY, theme);
  write(tabStorage, LINK_KEY, OWN);
  apply();
}

/** The theme of the portal link that opened the session; null when there is none, or it leaves the choice to the person. */
export function setLinkTheme(theme: 'light' | 'dark' | null) {
  const isOverruled = read(tabStorage, LINK_KEY) === OWN;
  ofLink = isOverruled ? null : theme;
  if (!isOverruled) write(tabStorage, LINK_KEY, theme);
  apply();
}

/** Another link is about to be opened: what the person chose in the session before says nothing about it. */
export function forgetLinkTheme() {
  chosen = null;
  write(tabStorage, LINK_KEY, null);
}

function apply() {
  const theme = getTheme();
  const isDark = theme === 'dark' || (theme === 'system' && !systemIsLight.matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

systemIsLight.addEventListener('change', apply);

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, getTheme);
}

/** The colours in force: charts on canvas cannot read variables by themselves. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme === 'dark');
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
