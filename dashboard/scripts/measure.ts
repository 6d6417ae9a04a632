/**
 * How quick the dashboard is, in a real browser against a real host; ends with an error where it is slower than is
 * promised. Not a test: on a busy machine a page is slow for reasons of its own.
 *
 *     ALERTS_BINARY=target/debug/exosphere-alerts npm run measure
 */
import type { Browser } from 'playwright-core';
import { settled } from '../e2e/support/axe.ts';
import { signedIn, startBrowser } from '../e2e/support/browser.ts';
import { startHost, type Host } from '../e2e/support/host.ts';
import {
  manyDeliveries,
  manyEndpoints,
  manyRules,
  scrolledToTheEnd,
} from '../e2e/support/made-up.ts';
import { longestTask } from '../e2e/support/tasks.ts';

/** A page that is pressed within this feels as if it had been there. */
const INTERACTIVE_WITHIN_MS = 1_000;
/** What browsers call a long task: a finger notices it. */
const LONGEST_TASK_MS = 50;
/** An answer within this follows the typing. */
const FOUND_WITHIN_MS = 300;
const LOADS = 9;

const [host, browser] = await Promise.all([startHost(), startBrowser()]);
let isSlow = false;

function say(what: string, ms: number, most: number, more = '') {
  const verdict = ms <= most ? 'good' : 'TOO SLOW';
  isSlow ||= ms > most;
  console.log(`${verdict.padStart(8)}  ${what}: ${Math.round(ms)} ms, at most ${most} ms${more}`);
}

try {
  await interactive(host, browser);
  await scrolling(host, browser);
  await searching(host, browser);
} finally {
  await browser.close();
  await host.stop();
}
process.exitCode = isSlow ? 1 : 0;

/** From the address to a heading, with no long task left to come. */
async function interactive(host: Host, browser: Browser) {
  const person = await signedIn(browser, host);
  const { page } = person;
  for (const [name, isCold] of [
    ['first load', true],
    ['later load', false],
  ] as const) {
    const wire = await page.context().newCDPSession(page);
    await wire.send('Network.enable');
    await wire.send('Network.setCacheDisabled', { cacheDisabled: isCold });
    const took: number[] = [];
    for (let i = 0; i < LOADS; i++) {
      await page.reload({ waitUntil: 'commit' });
      await page.getByRole('heading', { name: 'Nothing is set up yet' }).waitFor();
      await settled(page);
      // Since the address was asked for, by the page's own clock; an idle thread answers at once.
      took.push(
        await page.evaluate(
          () => new Promise<number>((resolve) => setTimeout(() => resolve(performance.now()), 0)),
        ),
      );
    }
    await wire.detach();
    took.sort((a, b) => a - b);
    const median = took[Math.floor(LOADS / 2)] ?? 0;
    say(
      `the overview is interactive, ${name}`,
      median,
      INTERACTIVE_WITHIN_MS,
      `; median of ${LOADS}, slowest ${Math.round(took.at(-1) ?? 0)} ms`,
    );
  }
  await person.context.close();
}

async function scrolling(host: Host, browser: Browser) {
  const total = 100_000;
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyDeliveries(page, total);
  await person.open('/deliveries');
  await page.getByRole('list', { name: 'Deliveries' }).getByRole('listitem').first().waitFor();
  const tell = (what: string, { wallMs, cpuMs }: { wallMs: number; cpuMs: number }) =>
    say(
      `longest task ${what}`,
      cpuMs,
      LONGEST_TASK_MS,
      ` of the thread's time; ${Math.round(wallMs)} ms by the clock`,
    );
  tell(
    `while ${total} deliveries come in`,
    await longestTask(page, () => scrolledToTheEnd(page, 'Deliveries', total)),
  );
  tell(
    `while ${total} deliveries scroll`,
    await longestTask(page, () =>
      page.evaluate(async () => {
        const height = document.documentElement.scrollHeight;
        for (let i = 0; i < 300; i++) {
          // As a wheel does, and now and then as somebody who drags the bar.
          window.scrollBy(0, i % 50 === 49 ? -height / 3 : 900);
          await new Promise((resolve) => requestAnimationFrame(resolve));
        }
      }),
    ),
  );
  await person.context.close();
}

async function searching(host: Host, browser: Browser) {
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyEndpoints(page, 10_000);
  await manyRules(page, 2_000);
  for (const [path, all, label, text, found] of [
    ['/webhooks', '10,000 webhooks', 'Search webhooks', 'host-9876.', '1 webhook'],
    ['/rules', '2,000 rules', 'Search rules', 'errored_count > 1987', '1 rule'],
  ] as const) {
    const opening = await longestTask(page, async () => {
      await person.open(path);
      await page.getByText(all, { exact: true }).waitFor();
    });
    say(
      `longest task while ${all} come in`,
      opening.cpuMs,
      LONGEST_TASK_MS,
      ` of the thread's time`,
    );
    const started = Date.now();
    await page.getByLabel(label).fill(text);
    await page.getByText(found, { exact: true }).waitFor();
    say(`of ${all} one is found`, Date.now() - started, FOUND_WITHIN_MS);
  }
  await person.context.close();
}
