/** A plugin whose settings no form can show: they are written as JSON, and checked. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';
import { pluginThatSays } from './support/plugin.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';

let host: Host;
let browser: Browser;
let receiver: Receiver;

before(async () => {
  [host, browser, receiver] = await Promise.all([startHost(), startBrowser(), startReceiver()]);
  await host.upload(
    await pluginThatSays({
      id: 'odd',
      summary: 'Takes what it likes',
      settings: {
        type: 'object',
        patternProperties: {
          '^q': { type: 'object', additionalProperties: { type: 'string' } },
        },
        additionalProperties: false,
      },
    }),
  );
});
after(async () => {
  await browser?.close();
  await receiver?.stop();
  await host?.stop();
});

test('settings that no form shows are written as JSON: what does not read is not sent, what the schema minds is told', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/webhooks?add=1');
  const sheet = page.getByRole('dialog');
  await sheet.locator('label', { hasText: 'Takes what it likes' }).click();
  await sheet.getByLabel('URL', { exact: true }).fill(receiver.url);
  await sheet.getByLabel('Name', { exact: true }).fill('Odd');
  const settings = sheet.getByLabel('Settings, as JSON');
  const add = sheet.getByRole('button', { name: 'Add webhook' });

  await settings.fill('{"query": ');
  await sheet.getByText('Not JSON yet').waitFor();
  await add.click();
  assert.deepEqual((await host.api('GET', '/v1/webhooks')).body.data, [], 'it is held back');
  assert.equal(
    await settings.evaluate((field) => field.matches(':focus:invalid')),
    true,
    'and the field is where the person is led',
  );

  await settings.fill('{"query": {"a": 1}}');
  await sheet.getByText('/query/a').waitFor();
  // The host decides, and says so too.
  await add.click();
  await sheet.getByRole('alert').filter({ hasText: 'string' }).nth(1).waitFor();
  assert.deepEqual((await host.api('GET', '/v1/webhooks')).body.data, []);

  await settings.fill('{"query": {"a": "1"}}');
  await add.click();
  await sheet.getByText('Signing secret, shown this once').waitFor();
  await sheet.getByRole('button', { name: 'Send test' }).click();
  await sheet.getByText(/It answered 200/).waitFor();
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/hook?a=1'],
  );
  assertNoComplaints(person);
});

test('grants that are saved unchanged are what they were: no hosts stays no hosts', async () => {
  const grants = { grants: [{ tenant: 'payments', hosts: [] }, { tenant: 'rivals' }] };
  assert.equal((await host.api('PUT', '/v1/plugins/odd/grants', grants)).status, 200);
  const before = (await host.api('GET', '/v1/plugins/odd/grants')).body;
  const { page, open } = await signedIn(browser, host);
  await open('/plugins/odd');
  const card = page.locator('section', { hasText: 'Who may use it' });
  await card.getByText('no other hosts').waitFor();
  await card.getByRole('button', { name: 'Change' }).click();
  const dialog = page.getByRole('dialog', { name: 'Who may use it' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual((await host.api('GET', '/v1/plugins/odd/grants')).body, before);
});
