/** The namespaces that were looked at last, the newest first; kept in this browser. */
const KEY = 'alerts.namespaces';
const KEPT = 5;

export function recentNamespaces(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept)
      ? kept.filter((name) => typeof name === 'string').slice(0, KEPT)
      : [];
  } catch {
    return [];
  }
}

export function rememberNamespace(name: string) {
  try {
    const names = [name, ...recentNamespaces().filter((each) => each !== name)].slice(0, KEPT);
    localStorage.setItem(KEY, JSON.stringify(names));
  } catch {
    // Storage may be blocked in a frame.
  }
}
