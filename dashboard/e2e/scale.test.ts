/** Lists that are very long. The host's answers are made up here, since filling a database with them would take longer than the test. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { signedIn, startBrowser } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const DELIVERIES = 100_000;
const ENDPOINTS = 10_000;
const PAGE = 200;
/** Rows that may exist at once, whatever the length: those in view and some around. */
const MOST_ROWS = 120;

const padded = (n: number) => String(n).padStart(8, '0');

/** Answers a list of `total` made-up items, page by page. */
async function madeUp(page: Page, path: string, total: number, item: (n: number) => object) {
  await page.route(new RegExp(`${path}\\?`), async (route) => {
    const query = new URL(route.request().url()).searchParams;
    if (query.has('status') || query.has('webhook_endpoint_id'))
      return route.fulfill({ json: { data: [], next_cursor: null } });
    const from = Number(query.get('cursor') ?? 0);
    const to = Math.min(total, from + Number(query.get('limit') ?? PAGE));
    const data = Array.from({ length: to - from }, (_, i) => item(from + i));
    await route.fulfill({ json: { data, next_cursor: to < total ? String(to) : null } });
  });
}

test(
  `${DELIVERIES} deliveries scroll with few rows in the page`,
  { timeout: 300_000 },
  async (context) => {
    const person = await signedIn(browser, host);
    const { page } = person;
    await madeUp(page, '/v1/deliveries', DELIVERIES, (n) => ({
      id: `dlv_${padded(n)}`,
      event_id: `evt_${padded(n)}`,
      alert_rule_id: null,
      rule_name: `Rule ${n}`,
      trigger: { type: 'event' },
      webhook_endpoint_id: 'wh_1',
      status: n % 7 ? 'delivered' : 'scheduled',
      attempt_count: 1,
      created_at: new Date(Date.UTC(2026, 0, 1) - n * 1_000).toISOString(),
    }));
    await person.open('/deliveries');
    const rows = page.getByRole('list', { name: 'Deliveries' }).getByRole('listitem');
    await rows.first().waitFor();
    // All pages are had by going to the end again and again.
    await page.evaluate(async (total) => {
      const row = '[role="list"][aria-label="Deliveries"] [aria-setsize]';
      while (Number(document.querySelector(row)?.getAttribute('aria-setsize')) < total) {
        window.scrollTo(0, document.documentElement.scrollHeight);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    }, DELIVERIES);
    const longest = await page.evaluate(async () => {
      let most = 0;
      new PerformanceObserver((list) =>
        list.getEntries().forEach((entry) => (most = Math.max(most, entry.duration))),
      ).observe({ type: 'longtask' });
      const height = document.documentElement.scrollHeight;
      for (let i = 0; i < 300; i++) {
        window.scrollBy(0, i % 50 === 49 ? -height / 3 : 900);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      return most;
    });
    context.diagnostic(
      `longest task while scrolling ${DELIVERIES} rows: ${Math.round(longest)} ms`,
    );
    assert.ok((await rows.count()) < MOST_ROWS);
  },
);

test(`${ENDPOINTS} endpoints are searched as one writes`, { timeout: 300_000 }, async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await madeUp(page, '/v1/webhooks', ENDPOINTS, (n) => ({
    id: `wh_${padded(n)}`,
    name: `Receiver ${n}`,
    target: 'http',
    target_url: `https://host-${n}.example.com/hook`,
    headers: {},
    settings: {},
    is_active: true,
    version: 1,
  }));
  await person.open('/webhooks');
  await page.getByText('10,000 webhooks', { exact: true }).waitFor();
  await page.getByLabel('Search webhooks').fill('host-9876.');
  await page.getByText('1 webhook', { exact: true }).waitFor();
  assert.equal(await page.getByRole('list', { name: 'Webhooks' }).getByRole('listitem').count(), 1);
  assert.match(page.url(), /q=host-9876/);
});
