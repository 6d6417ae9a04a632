/** What is watched, and what is wrong with it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';

let watching: Host;
let idle: Host;
let browser: Browser;

before(async () => {
  [watching, idle, browser] = await Promise.all([
    startHost({
      // Nobody listens there.
      ALERTS_EXOSPHERE_URL: 'http://127.0.0.1:9',
      ALERTS_EXOSPHERE_KEY: 'a-secret-of-the-platform',
      ALERTS_EXOSPHERE_NAMESPACES: 'payments',
    }),
    startHost(),
    startBrowser(),
  ]);
});
after(async () => {
  await browser?.close();
  await watching?.stop();
  await idle?.stop();
});

test('a platform that does not answer is told with the reason, and its key is shown nowhere', async () => {
  const person = await signedIn(browser, watching);
  const { page } = person;
  await person.open('/sources');
  const card = page.getByRole('main').getByRole('listitem').first();
  await card.getByText('Failing').waitFor();
  await card.getByText(/127\.0\.0\.1:9.*cannot be reached/).waitFor();
  assert.ok(!(await page.content()).includes('a-secret-of-the-platform'));
  assertNoComplaints(person);
});

test('where nothing is watched it says how to watch', async () => {
  const { page, open } = await signedIn(browser, idle);
  await open('/sources');
  await page.getByText('Nothing is watched').waitFor();
  await page.getByText('ALERTS_EXOSPHERE_URL').waitFor();
});
