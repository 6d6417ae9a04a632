/** What the browser fetches before somebody sees something. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { settled } from './support/axe.ts';
import { signedIn, startBrowser, stranger } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';

/** Promised in the README: compressed, with all that the page asks the API for. */
const MOST_BYTES = 250_000;

let host: Host;
let browser: Browser;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** Counts what comes over the wire, headers included, as the browser measures it. */
async function transferred(page: Page, load: () => Promise<unknown>): Promise<number> {
  const wire = await page.context().newCDPSession(page);
  let bytes = 0;
  wire.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  await load();
  await wire.detach();
  return bytes;
}

test(`the sign-in is under ${MOST_BYTES / 1_000} KB compressed`, async (context) => {
  const { page } = await stranger(browser);
  const bytes = await transferred(page, async () => {
    await page.goto(`${host.url}/settings/alerts`);
    await page.getByLabel('API key').waitFor();
  });
  context.diagnostic(`${bytes} bytes`);
  assert.ok(bytes > 50_000, 'the load was seen');
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

test(`the overview of somebody who is signed in is under ${MOST_BYTES / 1_000} KB compressed`, async (context) => {
  const person = await signedIn(browser, host);
  const { page } = person;
  const bytes = await transferred(page, async () => {
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing is set up yet' }).waitFor();
    await settled(page);
  });
  context.diagnostic(`${bytes} bytes`);
  assert.ok(bytes > 50_000, 'the load was seen');
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});
