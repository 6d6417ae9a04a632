/**
 * Server-sent events over `fetch`. The browser's own `EventSource` sends no headers, and a platform key's session must
 * name its namespace in one.
 */
import { connection, whoHeaders } from './connection';

export interface StreamMessage {
  event: string;
  data: string;
  id: string | null;
}

/** Cuts a growing text into messages; what has not ended yet is kept for the next piece. */
export class MessageParser {
  private rest = '';

  push(piece: string): StreamMessage[] {
    this.rest += piece.replaceAll('\r\n', '\n');
    const blocks = this.rest.split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.map(parse).filter((message) => message !== null);
  }
}

function parse(block: string): StreamMessage | null {
  let event = 'message';
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    // A line that begins with a colon is a comment: the stream's sign of life.
    const match = /^(event|data|id): ?(.*)$/.exec(line);
    if (match?.[1] === 'event') event = match[2] ?? '';
    else if (match?.[1] === 'id') id = match[2] ?? '';
    else if (match?.[1] === 'data') data.push(match[2] ?? '');
  }
  return data.length === 0 ? null : { event, data: data.join('\n'), id };
}

interface Listener {
  onOpen: () => void;
  onMessage: (message: StreamMessage) => void;
  onCut: () => void;
}

/** The first wait before coming back, and the longest. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Watches until it is stopped, and comes back where it was cut. */
export function watch(path: string, listener: Listener): () => void {
  const stop = new AbortController();
  void run(path, listener, stop.signal);
  return () => stop.abort();
}

async function run(path: string, listener: Listener, signal: AbortSignal) {
  let lastId: string | null = null;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream', ...whoHeaders() };
      if (lastId !== null) headers['last-event-id'] = lastId;
      const answer = await fetch(path, { headers, signal });
      if (answer.status === 403) connection.set({ isOfOtherSession: true });
      if (answer.ok && answer.body) {
        listener.onOpen();
        wait = FIRST_WAIT_MS;
        for await (const message of messagesOf(answer.body)) {
          lastId = message.id ?? lastId;
          listener.onMessage(message);
        }
        // The host ends a stream now and then; only one that cannot be had again is cut.
        await pause(FIRST_WAIT_MS, signal);
        continue;
      }
    } catch {
      // The server is away, or the page is left.
    }
    if (signal.aborted) return;
    listener.onCut();
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamMessage> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  const parser = new MessageParser();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield* parser.push(value);
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
