/** An alert that was lost: what happened is read, and it is sent again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { failedRun, idOf, startHost, type Host } from './support/host.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';

let host: Host;
let browser: Browser;
let receiver: Receiver;

before(async () => {
  [host, browser, receiver] = await Promise.all([startHost(), startBrowser(), startReceiver()]);
  receiver.answer(503, '<b onclick="alert(1)">down</b> \u202eevil');
  const endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: 'Broken', target_url: receiver.url }),
  );
  await host.api('POST', '/v1/alert-rules', {
    name: 'On failure',
    event_type: 'workflow.failed',
    webhook_endpoint_id: endpoint,
    retry_policy: { max_retries: 1, strategy: 'FIXED', backoff_factor: 1_000 },
  });
  await host.api('POST', '/v1/events', failedRun('invoice'));
});
after(async () => {
  await browser?.close();
  await receiver?.stop();
  await host?.stop();
});

test('the attempts of a failed delivery are read, hostile answers shown as text, and it is redriven', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/deliveries');
  await page
    .getByRole('link')
    .filter({ hasText: 'Dead' })
    .filter({ hasText: 'On failure' })
    .first()
    .click();

  await page
    .getByRole('heading', { level: 1, name: /Not delivered to Broken after 2 attempts/ })
    .waitFor();
  const timeline = page.getByRole('region', { name: 'What happened' });
  await timeline.getByText('Attempt 1').waitFor();
  await timeline.getByText(/Waited/).waitFor();
  const answer = timeline.getByLabel('Body of the response').last();
  assert.match(
    (await answer.textContent()) ?? '',
    /<b onclick="alert\(1\)">down<\/b> ‹U\+202E›evil/,
  );
  assert.equal(await page.locator('b[onclick]').count(), 0);
  assert.match(
    (await timeline.getByLabel('Body of the request').last().textContent()) ?? '',
    /"graph_name": "invoice"/,
  );

  receiver.answer(200);
  await page.getByRole('button', { name: 'Resend' }).click();
  await page.getByRole('heading', { level: 1, name: /Broken answered 200/ }).waitFor();
  await page.getByRole('link', { name: /instead of dlv_/ }).waitFor();
  assertNoComplaints(person);
});

test('dead letters are counted before they are sent again, and progress is told', async () => {
  receiver.answer(503);
  const endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: 'Also broken', target_url: receiver.url }),
  );
  await host.api('POST', '/v1/alert-rules', {
    name: 'On a late invoice',
    event_type: 'workflow.failed',
    condition: "event.data.graph_name == 'late-invoice'",
    webhook_endpoint_id: endpoint,
    retry_policy: { max_retries: 0 },
  });
  await host.api('POST', '/v1/events', failedRun('late-invoice'));
  await host.api('POST', '/v1/events', failedRun('late-invoice'));
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/dead-letters?endpoint=${endpoint}`);
  const resend = page.getByRole('button', { name: /^Resend 2$/ }).first();
  // They are dead once their retries are used up; the page learns of it by itself.
  await resend.waitFor();
  receiver.answer(200);
  await host.api('PATCH', `/v1/webhooks/${endpoint}`, { is_active: false });
  await resend.click();
  const dialog = page.getByRole('dialog', { name: 'Resend 2 alerts' });
  const warning = dialog.getByText('Also broken is switched off: alerts wait');
  await warning.waitFor();
  await host.api('PATCH', `/v1/webhooks/${endpoint}`, { is_active: true });
  await warning.waitFor({ state: 'hidden' });
  await dialog.getByRole('button', { name: 'Resend 2' }).click();
  await dialog.getByText('Sent 2 of 2 again.').waitFor();
  assertNoComplaints(person);
});
