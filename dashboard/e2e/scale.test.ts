/** Very long lists: few rows exist at once, and what is searched for is found. How long it takes is for `npm run measure`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { signedIn, startBrowser } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';
import { manyDeliveries, manyEndpoints, manyRules, scrolledToTheEnd } from './support/made-up.ts';

const DELIVERIES = 100_000;
const ENDPOINTS = 10_000;
const RULES = 2_000;
/** More than the host gives at once, so that the end is reached in few steps. */
const PER_PAGE = 5_000;
/** Rows that may exist at once, whatever the length: those in view and some around. */
const MOST_ROWS = 60;
/** Elements of a page whose lists are that long. */
const MOST_ELEMENTS = 3_000;

let host: Host;
let browser: Browser;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

const rowsOf = (page: Page, list: string) =>
  page.getByRole('list', { name: list }).getByRole('listitem');

async function assertFew(page: Page, list: string) {
  const rows = await rowsOf(page, list).count();
  assert.ok(rows > 0 && rows <= MOST_ROWS, `${rows} rows`);
  const elements = await page.evaluate(() => document.querySelectorAll('body *').length);
  assert.ok(elements <= MOST_ELEMENTS, `${elements} elements`);
}

test(`of ${DELIVERIES} deliveries few rows exist, wherever the list stands`, async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyDeliveries(page, DELIVERIES, PER_PAGE);
  await person.open('/deliveries');
  await rowsOf(page, 'Deliveries').first().waitFor();
  await assertFew(page, 'Deliveries');
  await scrolledToTheEnd(page, 'Deliveries', DELIVERIES);
  await page.getByText('100,000 deliveries, all there are').waitFor();
  await assertFew(page, 'Deliveries');
  for (const share of [0.5, 0.25, 0.75, 0]) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const top = Math.round(share * height);
    await page.evaluate((to) => window.scrollTo(0, to), top);
    const around = Math.floor((share * height) / 56);
    await page
      .locator(`[role="listitem"][aria-posinset="${Math.max(1, around)}"]`)
      .waitFor({ state: 'attached' });
    await assertFew(page, 'Deliveries');
  }
});

test(`${ENDPOINTS} endpoints are searched as one writes, and no page holds all of them`, async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyEndpoints(page, ENDPOINTS, PER_PAGE);
  await manyRules(page, RULES, PER_PAGE);
  await person.open('/webhooks');
  await page.getByText('10,000 webhooks', { exact: true }).waitFor();
  await assertFew(page, 'Webhooks');
  await page.getByLabel('Search webhooks').fill('host-9876.');
  await page.getByText('1 webhook', { exact: true }).waitFor();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Receiver 9876').waitFor();
  assert.equal(await rowsOf(page, 'Webhooks').count(), 1);
  assert.match(page.url(), /q=host-9876/);

  // From anywhere, by the keyboard.
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('/');
  await page.keyboard.type('receiver 98');
  const found = page.getByRole('listbox', { name: 'Found' }).getByRole('option');
  await found.filter({ hasText: 'Receiver 98' }).first().waitFor();
  assert.ok((await found.count()) <= 10);
});

test(`one of ${ENDPOINTS} endpoints is chosen by its name, in a filter and in a form`, async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyEndpoints(page, ENDPOINTS, PER_PAGE);
  await manyRules(page, RULES, PER_PAGE);
  for (const [path, label] of [
    ['/deliveries', 'Webhook'],
    ['/rules/new', 'Tell'],
  ] as const) {
    await person.open(path);
    const picker = page.getByRole('combobox', { name: label, exact: true });
    await picker.click();
    await picker.fill('receiver 9876');
    const option = page.getByRole('option', { name: 'Receiver 9876', exact: true });
    await option.waitFor();
    const elements = await page.evaluate(() => document.querySelectorAll('body *').length);
    assert.ok(elements <= MOST_ELEMENTS, `${elements} elements`);
    await page.keyboard.press('Enter');
    await option.waitFor({ state: 'detached' });
    assert.equal(await picker.inputValue(), 'Receiver 9876');
  }
  await person.open('/deliveries');
  const filter = page.getByRole('combobox', { name: 'Webhook', exact: true });
  await filter.click();
  await page.getByRole('option', { name: 'Receiver 3', exact: true }).click();
  assert.match(page.url(), /endpoint=wh_00000003/);
  await filter.click();
  await page.getByRole('option', { name: 'Any webhook' }).click();
  assert.doesNotMatch(page.url(), /endpoint=/);
});

test(`of ${RULES} rules few rows exist, and one is found by what it says`, async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await manyEndpoints(page, ENDPOINTS, PER_PAGE);
  await manyRules(page, RULES, PER_PAGE);
  await person.open('/rules');
  await page.getByText('2,000 rules', { exact: true }).waitFor();
  await assertFew(page, 'Rules');
  await page.getByLabel('Search rules').fill('errored_count > 1987');
  await page.getByText('1 rule', { exact: true }).waitFor();
  await page.getByRole('list', { name: 'Rules' }).getByText('Rule 1987').first().waitFor();
});
