/** Who sees what, and who may change it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser, visitor } from './support/browser.ts';
import { idOf, startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let viewer: string;
let editor: string;
let foreign: string;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  const endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: 'Ours', target_url: 'http://127.0.0.1:9/' }),
  );
  await host.api('POST', '/v1/alert-rules', {
    name: 'Our rule',
    event_type: 'workflow.failed',
    webhook_endpoint_id: endpoint,
  });
  foreign = idOf(
    await host.api(
      'POST',
      '/v1/webhooks',
      { name: 'Foreign', target_url: 'http://127.0.0.1:9/' },
      { namespace: 'rivals' },
    ),
  );
  viewer = String(
    (await host.api('POST', '/v1/api-keys', { name: 'viewer', role: 'viewer' })).body.key,
  );
  editor = String(
    (await host.api('POST', '/v1/api-keys', { name: 'editor', role: 'editor' })).body.key,
  );
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test('a wrong key is told so, and nobody is let in', async () => {
  const person = await visitor(browser, host);
  await person.page.getByLabel('API key').fill('exo_wrong');
  await person.page.getByRole('button', { name: 'Sign in' }).click();
  await person.page.getByText('This key is not known here').waitFor();
});

test("another tenant's things are never shown", async () => {
  const person = await signedIn(browser, host, { key: editor });
  await person.open('/webhooks');
  await person.page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').waitFor();
  assert.equal(await person.page.getByText('Foreign').count(), 0);
  await person.open(`/webhooks/${foreign}`);
  await person.page.getByText('There is nothing here').waitFor();
  await person.open('/webhooks?ns=rivals');
  assert.equal(await person.page.getByText('Foreign').count(), 0);
  assert.equal(await person.page.getByRole('link', { name: 'Tenants' }).count(), 0);
});

test('a platform key that changes its namespace sees nothing of the one before', async () => {
  const person = await signedIn(browser, host, { namespace: null });
  const { page } = person;
  await page.getByRole('heading', { name: 'Choose a namespace' }).waitFor();
  await page.getByRole('option', { name: 'payments' }).first().click();
  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Webhooks' })
    .click();
  await page.getByText('Ours').waitFor();
  await page.getByRole('button', { name: /Namespace: payments/ }).click();
  await page.getByRole('option', { name: 'rivals' }).click();
  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Webhooks' })
    .click();
  await page.getByText('Foreign').waitFor();
  assert.equal(await page.getByText('Ours').count(), 0);
});

test("with a viewer's key nothing can be changed, and it says why", async () => {
  const person = await signedIn(browser, host, { key: viewer });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').click();
  await page.getByRole('button', { name: 'Preview' }).waitFor();
  for (const name of ['Add webhook', 'Edit', 'Switch off', 'Send test', 'Rotate secret']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  }
  await person.open('/rules');
  await page.getByRole('switch', { name: /Our rule/ }).waitFor();
  assert.ok(await page.getByRole('switch', { name: /Our rule/ }).isDisabled());
  await page.getByRole('list', { name: 'Rules' }).getByText('Our rule').first().click();
  await page.getByText('Your key may look and not change').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Save', exact: true }).count(), 0);
  // The server decides, whatever the page offers.
  const status = await page.evaluate(async () => {
    const session = (await (await fetch('/v1/session')).json()) as { csrf_token: string };
    const answer = await fetch('/v1/webhooks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token },
      body: JSON.stringify({ name: 'x', target_url: 'http://127.0.0.1:9/' }),
    });
    return answer.status;
  });
  assert.equal(status, 403);
});

test('a session that ended leads back to the sign-in, and a half-written form is kept', async () => {
  const person = await signedIn(browser, host, { key: editor });
  const { page } = person;
  await person.open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Half written');
  await person.context.clearCookies();
  await page.getByLabel('Tell').selectOption({ label: 'Ours' });
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await page.getByLabel('API key').fill(editor);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Add rule' }).waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Half written');
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByRole('list', { name: 'Rules' }).getByText('Half written').first().waitFor();
});

test('a session that ends while a sheet is open does not lose the sheet', async () => {
  const person = await signedIn(browser, host, { key: editor });
  const { page } = person;
  await person.open('/webhooks?add=1');
  const url = page.getByRole('dialog').getByLabel('URL', { exact: true });
  await url.fill('http://127.0.0.1:9/kept');
  await person.context.clearCookies();
  await page.getByRole('dialog').getByRole('button', { name: 'Add webhook' }).click();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await page.getByLabel('API key').fill(editor);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('heading', { name: 'Your session has ended' })
    .waitFor({ state: 'detached' });
  assert.equal(await url.inputValue(), 'http://127.0.0.1:9/kept');
});

test('a portal link opens once, into one namespace', async () => {
  const made = await host.api('POST', '/v1/portal-links', { role: 'viewer', expires_in_s: 600 });
  assert.ok(made.status < 300, `the link was not made: ${made.status}`);
  const link = String(made.body.url);
  const guest = await browser.newContext();
  const page = await guest.newPage();
  await page.goto(link);
  await page.getByRole('button', { name: 'Your key' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Tenants' }).count(), 0);
  const second = await (await browser.newContext()).newPage();
  await second.goto(link);
  await second.waitForLoadState();
  assert.equal(await second.getByRole('button', { name: 'Your key' }).count(), 0);
});

test('while the server is away a banner says so, and the page comes back with it', async () => {
  const person = await signedIn(browser, host, { key: editor });
  const { page } = person;
  await person.open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Kept');
  await person.context.setOffline(true);
  await page.getByLabel('Tell').selectOption({ label: 'Ours' });
  await page.getByText('The server does not answer.').first().waitFor();
  await person.context.setOffline(false);
  await page.getByText('The server does not answer.').first().waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Kept');
  assertNoComplaints({
    ...person,
    complaints: person.complaints.filter((each) => !each.includes('ERR_INTERNET')),
  });
});
