/** Every page, light and dark, wide and narrow: axe finds nothing, nothing is cut off, nothing is refused by the policy. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser, visitor } from './support/browser.ts';
import { failedRun, idOf, startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let pages: string[];

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  const endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: '#oncall', target_url: 'http://127.0.0.1:9/' }),
  );
  const rule = idOf(
    await host.api('POST', '/v1/alert-rules', {
      name: 'On failure',
      event_type: 'workflow.failed',
      webhook_endpoint_id: endpoint,
      retry_policy: { max_retries: 0 },
    }),
  );
  const posted = await host.api('POST', '/v1/events', failedRun('nightly-etl'));
  const [event] = posted.body.events as { id: string }[];
  const deliveries = await host.api('GET', '/v1/deliveries');
  const [delivery] = deliveries.body.data as { id: string }[];
  const inner = [
    `/webhooks/${endpoint}`,
    `/rules/${rule}`,
    `/events/${event?.id}`,
    `/deliveries/${delivery?.id}`,
  ];
  const lists = [
    '/',
    '/webhooks',
    '/webhooks?add=1',
    '/rules',
    '/rules/new',
    '/deliveries',
    '/dead-letters',
    '/events',
    '/plugins',
    '/plugins/http',
    '/keys',
    '/tenants',
    '/audit',
  ];
  pages = [...lists, ...inner];
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function settled(page: Page) {
  await page.locator('main').waitFor();
  await page.waitForFunction(
    () => !document.querySelector('[role="status"][aria-label="Loading"], [aria-busy="true"]'),
  );
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run: (options: object) => Promise<{
          violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
        }>;
      };
    };
    const found = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    });
    return found.violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('; ')}`,
    );
  });
}

for (const colours of ['dark', 'light'] as const) {
  for (const width of [375, 1440]) {
    test(`axe finds nothing on any page, ${colours}, at ${width} px`, async () => {
      const person = await signedIn(browser, host, { colours, width });
      const { page } = person;
      const found: string[] = [];
      for (const path of pages) {
        await person.open(path);
        await settled(page);
        found.push(...(await violations(page)).map((each) => `${path} ${each}`));
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - window.innerWidth,
        );
        if (overflow > 0) found.push(`${path} is ${overflow} px too wide`);
      }
      assert.deepEqual(found, []);
      assertNoComplaints(person);
      await person.context.close();
    });
  }
}

test('the sign-in has no violation either', async () => {
  const person = await visitor(browser, host);
  await person.page.getByLabel('API key').waitFor();
  assert.deepEqual(await violations(person.page), []);
});

test('the first load is under 250 KB compressed', async () => {
  const person = await visitor(browser, host);
  const { page } = person;
  let bytes = 0;
  page.on('response', (response) => {
    if (!response.url().includes('/settings/alerts')) return;
    void response.body().then((body) => (bytes += gzipSync(body).length));
  });
  await page.reload();
  await page.getByLabel('API key').fill(host.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settled(page);
  assert.ok(bytes > 20_000, 'the load was seen');
  assert.ok(bytes < 250_000, `${bytes} bytes`);
});

test('pages are reached, and help is shown, by keyboard alone', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.getByRole('heading', { level: 1, name: 'Rules' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.type('oncall');
  await page.getByRole('option', { name: /#oncall/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '#oncall' }).waitFor();
});
