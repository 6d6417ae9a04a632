/** Another site: pages of its own that try something with the dashboard. */
import { createServer } from 'node:http';
import { freePort } from './host.ts';

export interface Site {
  /** Where a page is. `localhost` is another site than `127.0.0.1`; another port of `127.0.0.1` is only another origin. */
  at: (name: 'localhost' | '127.0.0.1', path: string) => string;
  serve: (path: string, html: string) => void;
  stop: () => Promise<void>;
}

export async function startSite(): Promise<Site> {
  const pages = new Map<string, string>();
  const server = createServer((request, response) => {
    const page = pages.get(request.url ?? '');
    response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page ?? 'nothing here');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return {
    at: (name, path) => `http://${name}:${port}${path}`,
    serve: (path, html) => void pages.set(path, `<!doctype html><title>Elsewhere</title>${html}`),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
