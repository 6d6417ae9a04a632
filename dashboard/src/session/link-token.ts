/**
 * The token that a portal link carries after its `#`. It is taken out of the address at once, so that it stands neither
 * in the history nor in a picture of the screen, and is held here for the page that opens the link.
 */

const PAGE = /\/portal\/?$/;

let token: string | null = null;
const listeners = new Set<() => void>();

/** Runs before anything is drawn, and again when another link is pasted into the same tab. */
export function takeLinkToken() {
  if (!PAGE.test(location.pathname) || location.hash.length < 2) return;
  const found = location.hash.slice(1);
  history.replaceState(history.state, '', location.pathname + location.search);
  token = found;
  listeners.forEach((listener) => listener());
}

export const linkToken = {
  get: () => token,
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

takeLinkToken();
window.addEventListener('hashchange', takeLinkToken);
