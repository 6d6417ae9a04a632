/** A real host for a test: its own database, its own port, ended with the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PLATFORM_KEY = 'e2e-platform-key-0123456789abcdef';
/** A first start compiles the plugins. */
const READY_WITHIN_MS = 180_000;

export interface Host {
  url: string;
  key: string;
  api: (
    method: string,
    path: string,
    body?: unknown,
    options?: { namespace?: string; key?: string },
  ) => Promise<Answer>;
  stop: () => Promise<void>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export async function startHost(): Promise<Host> {
  const binary = process.env.ALERTS_BINARY;
  if (!binary) throw new Error('ALERTS_BINARY must name the host to test');
  const folder = await mkdtemp(join(tmpdir(), 'alerts-e2e-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    binary,
    ['serve', '--listen', `127.0.0.1:${port}`, '--database-url', `sqlite://${folder}/alerts.db`],
    {
      env: {
        ...process.env,
        ALERTS_BOOTSTRAP_KEY: PLATFORM_KEY,
        ALERTS_ALLOW_TARGETS: '127.0.0.0/8',
        ALERTS_PUBLIC_URL: url,
        // Compiled plugins are the same for all tests; each compiles them once per machine.
        ALERTS_CACHE_DIR: join(tmpdir(), 'alerts-e2e-plugin-cache'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  child.stderr.on('data', (piece: Buffer) => (log = (log + piece.toString()).slice(-8_000)));
  await ready(url, child, () => log);
  return {
    url,
    key: PLATFORM_KEY,
    api: (method, path, body, options) => call(url, method, path, body, options),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess, log: () => string) {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the host ended: ${log()}`);
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the host is not ready: ${log()}`);
}

async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  options: { namespace?: string; key?: string } = {},
): Promise<Answer> {
  const headers: Record<string, string> = { 'x-api-key': options.key ?? PLATFORM_KEY };
  if (!options.key) headers['x-exosphere-namespace'] = options.namespace ?? 'payments';
  if (body !== undefined)
    headers['content-type'] =
      path === '/v1/events' ? 'application/cloudevents+json' : 'application/json';
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

let posted = 0;

/** A run that failed, as the platform tells of it. */
export function failedRun(
  graph: string,
  data: Record<string, unknown> = {},
): Record<string, unknown> {
  const run = `run-${Date.now()}-${posted++}`;
  return {
    specversion: '1.0',
    id: run,
    source: '/v0/namespace/payments',
    type: 'workflow.failed',
    subject: `graph/${graph}/run/${run}`,
    time: new Date().toISOString(),
    namespace: 'payments',
    data: {
      graph_name: graph,
      run_id: run,
      status: 'FAILED',
      errored_count: 2,
      total_count: 9,
      ...data,
    },
  };
}

export const idOf = (answer: Answer): string => String(answer.body.id);
