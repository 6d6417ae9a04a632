/** What is watched, what posts, and what is wrong with it. */
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

test('where there is no source it says how to get one', async () => {
  const { page, open } = await signedIn(browser, idle);
  await open('/sources');
  await page.getByText('No sources').waitFor();
  await page.getByText('ALERTS_EXOSPHERE_URL').waitFor();
});

test('a source is added, told to its sender once, and deleted', async () => {
  const person = await signedIn(browser, idle);
  const { page } = person;
  await person.open('/sources');
  await page.getByRole('button', { name: 'Add source' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Nightly jobs');
  await dialog.getByLabel('Sender').selectOption('mapped');
  await dialog.getByLabel('Type').fill('request.bdy +');
  await dialog.getByRole('button', { name: 'Add source' }).click();
  await dialog
    .getByText(/does not compile at line 1/)
    .first()
    .waitFor();
  await dialog.getByLabel('Type').fill("'workflow.failed'");
  await dialog.getByRole('button', { name: 'Add source' }).click();
  const secret = await dialog.locator('[data-secret]').innerText();
  const url = await dialog.locator('code').first().innerText();
  const posted = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-exosphere-token': secret },
    body: '{"n": 1}',
  });
  assert.equal(posted.status, 202);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const card = page.getByRole('main').getByRole('listitem').first();
  await card.getByText('Receiving').waitFor();
  await card.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete source' }).click();
  await page.getByText('No sources').waitFor();
  assertNoComplaints(person);
});
