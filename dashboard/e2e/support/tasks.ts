/** How long the page was busy at a stretch, from Chromium's own trace of its main thread. */
import type { Page } from 'playwright-core';

export interface Longest {
  /** As a person waits for it; grows with whatever else the machine does. */
  wallMs: number;
  /** Of the thread's own time; much the same on a busy machine. */
  cpuMs: number;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

/** A task of the renderer, as the trace calls it: what the browser runs without a break. */
const TASK = 'ThreadControllerImpl::RunTask';

/** The longest task of any page's main thread while `act` goes on. */
export async function longestTask(page: Page, act: () => Promise<unknown>): Promise<Longest> {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page has no browser');
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await act();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const threads = trace.traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
  );
  const isPage = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = trace.traceEvents.filter(
    ({ name, ph, pid, tid }) => name === TASK && ph === 'X' && isPage.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error('the trace holds no task of a page');
  const longest = (read: (task: TraceEvent) => number | undefined) =>
    Math.max(...tasks.map((task) => read(task) ?? 0)) / 1_000;
  return { wallMs: longest((task) => task.dur), cpuMs: longest((task) => task.tdur) };
}
