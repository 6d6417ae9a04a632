/** A receiver whose answer a test chooses. */
import { createServer, type IncomingMessage } from 'node:http';

export interface Receiver {
  url: string;
  received: { path: string; body: string }[];
  answer: (status: number, body?: string, headers?: Record<string, string>) => void;
  stop: () => Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Receiver['received'] = [];
  let [status, text] = [200, 'ok'];
  let headers: Record<string, string> = {};
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      received.push({ path: request.url ?? '', body });
      response.writeHead(status, { 'content-type': 'text/plain', ...headers });
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer: (nextStatus, nextText = 'ok', nextHeaders = {}) => {
      [status, text, headers] = [nextStatus, nextText, nextHeaders];
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request) body += String(piece);
  return body;
}
