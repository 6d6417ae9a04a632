/** Light, dark, or as the system has it. `public/theme.js` reads the same choice before the first paint. */
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'alerts.theme';
const systemIsLight = matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();

export function getTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}

export function setTheme(theme: Theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be blocked in a frame; the choice holds for this page then.
  }
  apply(theme);
}

function apply(theme: Theme) {
  const isDark = theme === 'dark' || (theme === 'system' && !systemIsLight.matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

systemIsLight.addEventListener('change', () => apply(getTheme()));

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
