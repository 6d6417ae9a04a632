/** From an empty host to the first alert. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { failedRun, startHost, type Host } from './support/host.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';

let host: Host;
let browser: Browser;
let receiver: Receiver;

before(async () => {
  [host, browser, receiver] = await Promise.all([startHost(), startBrowser(), startReceiver()]);
});
after(async () => {
  await browser?.close();
  await receiver?.stop();
  await host?.stop();
});

test('from an empty host a person signs in, adds a webhook and a rule, and sees a failing run delivered without a reload', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await page.getByRole('heading', { name: 'Nothing is set up yet' }).waitFor();

  await page.getByRole('link', { name: 'Add webhook' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel('URL', { exact: true }).fill(receiver.url);
  await sheet.getByLabel('Name', { exact: true }).fill('On call');
  await sheet.getByRole('button', { name: 'Add webhook' }).click();
  await sheet.getByText('Signing secret, shown this once').waitFor();
  assert.match((await sheet.locator('[data-secret]').textContent()) ?? '', /^whsec_/);

  await sheet.getByRole('button', { name: 'Preview' }).click();
  await sheet.getByText('This is what is sent for a sample event').waitFor();
  assert.equal(receiver.received.length, 0, 'a preview sends nothing');
  await sheet.getByRole('button', { name: 'Send test' }).click();
  await sheet.getByText(/It answered 200 in .*The alert is delivered/).waitFor();
  assert.equal(receiver.received.length, 1);

  await sheet
    .getByRole('link', { name: 'Add a rule for it' })
    .or(sheet.getByRole('button', { name: 'Add a rule for it' }))
    .click();
  await page.getByLabel('Name', { exact: true }).fill('On failure');
  await page.locator('[data-sentence]').getByText('On call').waitFor();
  assert.equal(
    await page.locator('[data-sentence]').textContent(),
    'When workflow.failed, tell On call.',
  );
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByRole('list', { name: 'Rules' }).getByText('On failure').first().waitFor();

  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Deliveries' })
    .click();
  await page.getByRole('list', { name: 'Deliveries' }).waitFor();
  assert.equal((await host.api('POST', '/v1/events', failedRun('nightly-etl'))).status, 202);
  const row = page
    .getByRole('list', { name: 'Deliveries' })
    .getByRole('link')
    .filter({ hasText: 'On failure' });
  await row.filter({ hasText: 'Delivered' }).waitFor();
  assert.equal(receiver.received.length, 2);
  assertNoComplaints(person);
});
