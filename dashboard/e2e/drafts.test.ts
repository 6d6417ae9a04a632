/** A webhook is tried before it is saved. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { idOf, startHost, type Host } from './support/host.ts';
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

const stored = async () => (await host.api('GET', '/v1/webhooks')).body.data as unknown[];

test('a new webhook is previewed and tested before it is added, and nothing of it is stored', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/webhooks?add=1');
  const sheet = page.getByRole('dialog', { name: 'Add webhook' });
  await sheet.getByLabel('URL', { exact: true }).fill(receiver.url);
  await sheet.getByLabel('Name', { exact: true }).fill('Not yet');
  await sheet.getByText('More options').click();
  await sheet.getByLabel(/^Headers/).fill('x-team: billing');

  const before = receiver.received.length;
  await sheet.getByRole('button', { name: 'Preview' }).click();
  await sheet.getByText('This is what is sent for a sample event').waitFor();
  await sheet.getByText('x-team').first().waitFor();
  assert.equal(receiver.received.length, before, 'a preview sends nothing');

  await sheet.getByRole('button', { name: 'Send test' }).click();
  await sheet.getByText(/It answered 200 in .*The alert is delivered/).waitFor();
  assert.equal(receiver.received.length, before + 1);
  assert.deepEqual(await stored(), []);
  assertNoComplaints(person);
});

test('what is wrong in a draft is marked at its field, and nothing is sent', async () => {
  const { page, open } = await signedIn(browser, host);
  await open('/webhooks?add=1');
  const sheet = page.getByRole('dialog', { name: 'Add webhook' });
  await sheet.getByLabel('URL', { exact: true }).fill('ftp://files.example.com/');
  await sheet.getByLabel('Name', { exact: true }).fill('Wrong');
  const before = receiver.received.length;
  await sheet.getByRole('button', { name: 'Send test' }).click();
  await sheet.getByText('Nothing was sent: mend what is marked in red.').waitFor();
  assert.equal(await sheet.getByLabel('URL', { exact: true }).getAttribute('aria-invalid'), 'true');
  assert.equal(receiver.received.length, before);
});

test('a change is tried on its new address while the webhook stays as it was', async () => {
  const webhook = idOf(
    await host.api('POST', '/v1/webhooks', { name: 'Old', target_url: 'http://127.0.0.1:9/old' }),
  );
  const { page, open } = await signedIn(browser, host);
  await open(`/webhooks/${webhook}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const sheet = page.getByRole('dialog', { name: 'Edit Old' });
  await sheet.getByLabel(/^URL/).fill(`${receiver.url}/moved`);
  receiver.answer(503, 'not today');
  await sheet.getByRole('button', { name: 'Send test' }).click();
  await sheet.getByText(/It answered 503 in/).waitFor();
  await sheet.getByText('not today').first().waitFor();
  assert.equal(receiver.received.at(-1)?.path, '/hook/moved');
  const now = await host.api('GET', `/v1/webhooks/${webhook}`);
  assert.equal(now.body.target_url, 'http://127.0.0.1:9/old');
});
