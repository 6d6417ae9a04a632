/**
 * Pictures of every page, light and dark, wide and narrow, into the folder given as an argument.
 *
 *     ALERTS_URL=http://127.0.0.1:8080 ALERTS_KEY=exo_… ALERTS_NAMESPACE=demo npm run screenshots -- docs/images
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const [folder] = process.argv.slice(2);
const {
  ALERTS_URL: host = 'http://127.0.0.1:8080',
  ALERTS_KEY: apiKey,
  ALERTS_NAMESPACE: namespace = 'demo',
  ONLY: only,
} = process.env;
if (!folder || !apiKey) throw new Error('usage: ALERTS_KEY=… npm run screenshots -- FOLDER');

const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 375, height: 812 } };

const PAGES: [string, string][] = [
  ['overview', '/'],
  ['webhooks', '/webhooks'],
  ['webhook-add', '/webhooks?add=1'],
  ['rules', '/rules'],
  ['rule-new', '/rules/new'],
  ['deliveries', '/deliveries'],
  ['dead-letters', '/dead-letters'],
  ['events', '/events'],
  ['plugins', '/plugins'],
  ['plugin', '/plugins/http'],
  ['tenants', '/tenants'],
  ['keys', '/keys'],
  ['audit', '/audit'],
];

/** Long lists and sheets: what is first seen of them. */
const SCREENFUL = ['webhook-add', 'webhooks', 'rules', 'deliveries', 'events', 'dead-letters'];

/** Pages of one thing: opened from the list that leads to them. */
const INNER: [string, string, string][] = [
  ['webhook', '/webhooks', 'Webhooks'],
  ['rule', '/rules', 'Rules'],
  ['delivery', '/deliveries?status=dead', 'Deliveries'],
  ['event', '/events', 'Events'],
];

async function settle(page: Page) {
  await page.waitForLoadState('load');
  // By its tag: behind an open dialog it has no role.
  await page.locator('main').waitFor();
  // Until nothing says that it is loading; the stream stays open, so the network is never idle.
  await page.waitForFunction(
    () => !document.querySelector('[role="status"][aria-label="Loading"], [aria-busy="true"]'),
    undefined,
    { timeout: 20_000 },
  );
  await page.waitForTimeout(400);
}

const address = (path: string) =>
  `${host}/settings/alerts${path}${path.includes('?') ? '&' : '?'}ns=${namespace}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  await mkdir(folder, { recursive: true });
  for (const colours of ['dark', 'light'] as const) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({
        viewport,
        colorScheme: colours,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      const shoot = async (name: string, isWhole = true) => {
        if (only && !only.split(',').includes(name)) return;
        await settle(page);
        await page.screenshot({
          path: join(folder, `${name}-${colours}-${size}.png`),
          fullPage: isWhole,
        });
      };
      await page.goto(address('/'));
      await page.getByLabel('API key').waitFor();
      if (!only || only.includes('sign-in'))
        await page.screenshot({ path: join(folder, `sign-in-${colours}-${size}.png`) });
      await page.getByLabel('API key').fill(apiKey);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Your key' }).waitFor();
      for (const [name, path] of PAGES) {
        if (only && !only.split(',').includes(name)) continue;
        await page.goto(address(path));
        await shoot(name, !SCREENFUL.includes(name));
      }
      for (const [name, path, list] of INNER) {
        if (only && !only.split(',').includes(name)) continue;
        await page.goto(address(path));
        await settle(page);
        const link = page.getByRole('list', { name: list }).getByRole('link').first();
        if ((await link.count()) === 0) continue;
        await link.click();
        await page.getByRole('list', { name: list, exact: true }).waitFor({ state: 'detached' });
        await shoot(name);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}
