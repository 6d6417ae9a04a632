/** Where a portal link leads back to, as it is shown and followed. */

export interface ReturnAddress {
  href: string;
  /** What a person knows the place by. */
  host: string;
  /** In another site's frame the way back is out of the frame. */
  target: '_top' | undefined;
}

/** Null for what is no page: an address that runs as a script is never followed. */
export function returnAddressOf(url: string | null | undefined): ReturnAddress | null {
  if (!url || !URL.canParse(url)) return null;
  const { protocol, href, host } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  return { href, host, target: window.parent === window ? undefined : '_top' };
}
