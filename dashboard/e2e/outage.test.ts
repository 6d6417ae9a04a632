/** The server is gone: a banner, and nothing lost. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { signedIn, startBrowser } from './support/browser.ts';
import { failedRun, idOf, startHost, type Host } from './support/host.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';

let host: Host;
let browser: Browser;
let receiver: Receiver;

before(async () => {
  [host, browser, receiver] = await Promise.all([startHost(), startBrowser(), startReceiver()]);
  idOf(await host.api('POST', '/v1/webhooks', { name: 'Ours', target_url: receiver.url }));
});
after(async () => {
  await browser?.close();
  await host?.stop();
  await receiver?.stop();
});

test('a host that is killed while a form is sent: a banner, the form kept, and sent once when it is back', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Kept');
  await page.getByLabel('Tell').selectOption({ label: 'Ours' });
  await page.locator('[data-backtest]').waitFor();
  await host.kill();
  await page.getByRole('button', { name: 'Add rule' }).click();
  const banner = page.getByRole('alert').filter({ hasText: 'The server does not answer.' }).first();
  await banner.getByText('what you wrote is kept').waitFor();
  await page.getByRole('button', { name: 'Try now' }).click();
  await banner.waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Kept');

  await host.revive();
  // Nobody presses anything: the page asks until the host is back.
  await page.getByRole('button', { name: 'Try now' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByRole('list', { name: 'Rules' }).getByText('Kept').first().waitFor();
  const rules = (await host.api('GET', '/v1/alert-rules')).body.data as unknown[];
  assert.equal(rules.length, 1);
});

test('a page that was open during an outage is live again afterwards, without a reload', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/deliveries');
  await page.getByText('Nothing was sent yet').waitFor();
  await page.getByRole('button', { name: 'Updates: Live' }).waitFor();
  await host.kill();
  await page.getByRole('button', { name: 'Updates: Offline' }).waitFor();
  await host.revive();
  await page.getByRole('button', { name: 'Updates: Live' }).waitFor();
  await host.api('POST', '/v1/events', failedRun('after-the-outage'));
  await page
    .getByRole('list', { name: 'Deliveries' })
    .getByRole('link')
    .filter({ hasText: 'Delivered' })
    .waitFor();
});
