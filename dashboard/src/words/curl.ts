/** A request as a `curl` command that a POSIX shell reads as one argument each. */
import type { SentRequest } from '@/api/types';

export function curlOf(request: SentRequest): string {
  const parts = [`curl -sS -X ${quote(request.method)} ${quote(request.url)}`];
  for (const [name, value] of request.headers) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  if (request.body) parts.push(`--data-raw ${quote(request.body)}`);
  return parts.join(' \\\n  ');
}

function quote(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
