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
  /** Uploads a plugin and waits until it is in use. */
  upload: (wasm: Uint8Array) => Promise<void>;
  /** Ends it at once, as a power cut does. */
  kill: () => Promise<void>;
  /** Starts it again after `kill`, with its database, where it was. */
  revive: () => Promise<void>;
  stop: () => Promise<void>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export async function freePort(): Promise<number> {
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

export async function startHost(settings: Record<string, string> = {}): Promise<Host> {
  const binary = process.env.ALERTS_BINARY;
  if (!binary) throw new Error('ALERTS_BINARY must name the host to test');
  const folder = await mkdtemp(join(tmpdir(), 'alerts-e2e-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    'serve',
    '--listen',
    `127.0.0.1:${port}`,
    '--database-url',
    `sqlite://${folder}/alerts.db`,
  ];
  const start = async () => {
    const child = spawn(binary, args, {
      env: {
        ...process.env,
        ALERTS_BOOTSTRAP_KEY: PLATFORM_KEY,
        ALERTS_ALLOW_TARGETS: '127.0.0.0/8',
        ALERTS_PUBLIC_URL: url,
        // Compiled plugins are the same for all tests; each is compiled once per machine.
        ALERTS_CACHE_DIR: join(tmpdir(), 'alerts-e2e-plugin-cache'),
        ...settings,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (piece: Buffer) => (log = (log + piece.toString()).slice(-8_000)));
    await ready(url, child, () => log);
    return child;
  };
  let child = await start();
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  return {
    url,
    key: PLATFORM_KEY,
    api: (method, path, body, options) => call(url, method, path, body, options),
    upload: (wasm) => upload(url, wasm),
    kill: () => end('SIGKILL'),
    revive: async () => {
      child = await start();
    },
    stop: async () => {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess, log: () => string) {
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`the host ended: ${log()}`);
    return (await fetch(`${url}/readyz`).catch(() => null))?.ok;
  };
  await until(isReady, () => `the host is not ready: ${log()}`, READY_WITHIN_MS);
}

/** Waits for what must come to be. */
export async function until(
  isSo: () => Promise<boolean | undefined>,
  otherwise: () => string,
  withinMs = 60_000,
) {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
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

async function upload(url: string, wasm: Uint8Array) {
  const answer = await fetch(`${url}/v1/plugins`, {
    method: 'POST',
    headers: { 'x-api-key': PLATFORM_KEY, 'content-type': 'application/wasm' },
    body: new Uint8Array(wasm),
  });
  const plugin = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`the plugin is not taken: ${JSON.stringify(plugin)}`);
  const state = async () => (await call(url, 'GET', `/v1/plugins/${String(plugin.id)}`)).body;
  await until(
    async () => {
      const { state: now, reason } = await state();
      if (now === 'refused') throw new Error(`the plugin is refused: ${String(reason)}`);
      return now === 'ready';
    },
    () => 'the plugin is not ready',
    READY_WITHIN_MS,
  );
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

export const idOf = (answer: Answer): string => {
  if (typeof answer.body.id !== 'string') throw new Error(`no id in ${JSON.stringify(answer)}`);
  return answer.body.id;
};
