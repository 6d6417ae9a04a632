/** The dashboard without a mouse. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { PATIENCE_MS, signedIn, startBrowser } from './support/browser.ts';
import { idOf, startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  idOf(
    await host.api('POST', '/v1/webhooks', { name: '#oncall', target_url: 'http://127.0.0.1:9/' }),
  );
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** What the keyboard is at, as a screen reader names it. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: at } = document;
    return at?.getAttribute('aria-label') ?? at?.textContent?.trim() ?? '';
  });

/** Waits until the keyboard is there: some of it moves a moment after the page has changed. */
async function isAt(page: Page, name: string) {
  const deadline = Date.now() + PATIENCE_MS;
  while ((await focused(page)) !== name && Date.now() < deadline) await page.waitForTimeout(20);
  assert.equal(await focused(page), name);
}

test('letters lead to pages, ? helps, and / finds a thing by its name', async () => {
  const { page } = await signedIn(browser, host);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.getByRole('heading', { level: 1, name: 'Rules' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await isAt(page, 'Search names, ids and runs');
  await page.keyboard.type('oncall');
  await page.getByRole('option', { name: /#oncall/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: '#oncall' }).waitFor();
});

test('Escape leaves the search as it was, and its letters do nothing else while it is written in', async () => {
  const { page } = await signedIn(browser, host);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('gr?c');
  assert.equal(await page.getByLabel('Search names, ids and runs').inputValue(), 'gr?c');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.keyboard.press('Escape');
  assert.equal(await page.getByLabel('Search names, ids and runs').inputValue(), '');
  assert.match(page.url(), /\/settings\/alerts\/?\?/);
});

test('Tab begins with the way past the header, and goes through it from left to right', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  // As it is opened: the keyboard is at its beginning.
  await person.open('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  const seen: string[] = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab');
    seen.push(await focused(page));
  }
  assert.deepEqual(
    seen.map((each) => each.replace(/^(Namespace|Updates).*/, '$1')),
    [
      'Skip to the content',
      'Exosphere Alerts, overview',
      'Namespace',
      'Search names, ids and runs',
      'Updates',
      'Keyboard shortcuts and help',
      'Colours',
      'Your key',
    ],
  );
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'Overview', 'then the pages');
});

test('the way past the header leads to the content', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  // As it is opened: the keyboard is at its beginning.
  await person.open('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'content');
});

test('a dialog keeps the keyboard, and gives it back to where it was opened', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/webhooks');
  const open = page.getByRole('button', { name: 'Add webhook' });
  await open.focus();
  await page.keyboard.press('Enter');
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel('URL', { exact: true }).waitFor();
  // Once around: the keyboard never leaves it.
  for (let i = 0; i < 25; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await sheet.evaluate((dialog) => dialog.contains(document.activeElement)));
  }
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  await isAt(page, 'Add webhook');

  const menu = page.getByRole('button', { name: 'Your key' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  await isAt(page, 'Your key');
});
