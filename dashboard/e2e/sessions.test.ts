/** Sessions that end while somebody is at work. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { signedIn, startBrowser } from './support/browser.ts';
import { idOf, startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let spare: string;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  idOf(await host.api('POST', '/v1/webhooks', { name: 'Ours', target_url: 'http://127.0.0.1:9/' }));
  spare = (await newKey()).key;
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function newKey(): Promise<{ id: string; key: string }> {
  const made = await host.api('POST', '/v1/api-keys', { name: 'editor', role: 'editor' });
  return { id: idOf(made), key: String(made.body.key) };
}

async function signInAgain(page: Page) {
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await page.getByLabel('API key').fill(spare);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('heading', { name: 'Your session has ended' })
    .waitFor({ state: 'detached' });
}

test('a key that is revoked while a form is half written leads back to the sign-in, and the form is kept and can be sent', async () => {
  const { id, key } = await newKey();
  const person = await signedIn(browser, host, { key });
  const { page } = person;
  await person.open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Half written');
  assert.equal((await host.api('DELETE', `/v1/api-keys/${id}`)).status, 204);
  await page.getByLabel('Tell').selectOption({ label: 'Ours' });
  await signInAgain(page);
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Half written');
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByRole('list', { name: 'Rules' }).getByText('Half written').first().waitFor();
});

test('a session that ends while a sheet is open does not lose the sheet', async () => {
  const person = await signedIn(browser, host, { key: spare });
  const { page } = person;
  await person.open('/webhooks?add=1');
  const sheet = page.getByRole('dialog', { name: 'Add webhook' });
  await sheet.getByLabel('URL', { exact: true }).fill('http://127.0.0.1:9/kept');
  await person.context.clearCookies();
  await sheet.getByRole('button', { name: 'Add webhook' }).click();
  await signInAgain(page);
  assert.equal(
    await sheet.getByLabel('URL', { exact: true }).inputValue(),
    'http://127.0.0.1:9/kept',
  );
  await sheet.getByRole('button', { name: 'Add webhook' }).click();
  await page.getByText('Signing secret, shown this once').waitFor();
});

test('signing out ends the session on the host, and the page before is not shown to who goes back', async () => {
  const person = await signedIn(browser, host, { key: spare });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByText('Ours').waitFor();
  const [cookie] = await person.context.cookies();
  await page.getByRole('button', { name: 'Your key' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Exosphere Alerts' }).waitFor();
  const again = await fetch(`${host.url}/v1/webhooks`, {
    headers: { cookie: `${cookie?.name}=${cookie?.value}` },
  });
  assert.equal(again.status, 401, 'the cookie is worth nothing any more');
  await page.goBack();
  await page.getByLabel('API key').waitFor();
  assert.equal(await page.getByText('Ours').count(), 0);
});

/** A key of another namespace, with a webhook of its own. */
async function rival(): Promise<string> {
  const options = { namespace: 'rivals' };
  const body = { name: 'Theirs', target_url: 'http://127.0.0.1:9/' };
  idOf(await host.api('POST', '/v1/webhooks', body, options));
  const made = await host.api('POST', '/v1/api-keys', { name: 'r', role: 'editor' }, options);
  return String(made.body.key);
}

test('whoever signs in over an ended session of another namespace sees nothing of it', async () => {
  const { id, key } = await newKey();
  const webhook = idOf(
    await host.api('POST', '/v1/webhooks', { name: 'Private', target_url: 'http://127.0.0.1:9/p' }),
  );
  const person = await signedIn(browser, host, { key });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByRole('link', { name: 'Private' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Private' }).waitFor();
  assert.equal((await host.api('DELETE', `/v1/api-keys/${id}`)).status, 204);
  await page.getByRole('button', { name: 'Send test' }).click();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await page.getByLabel('API key').fill(await rival());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('there is no webhook endpoint').waitFor();
  assert.match(page.url(), new RegExp(webhook));
  assert.ok(!(await page.locator('body').textContent())?.includes('Private'));
  await page.goBack();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Theirs').first().waitFor();
  assert.ok(!(await page.locator('body').textContent())?.includes('Private'));
});

test('when another namespace signs in in another tab, this one shows what is that one’s, and no mixture', async () => {
  const person = await signedIn(browser, host, { key: spare });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').first().waitFor();
  const other = await person.context.newPage();
  await other.goto(`${host.url}/settings/alerts`);
  await other.getByRole('button', { name: 'Your key' }).click();
  await other.getByRole('menuitem', { name: 'Sign out' }).click();
  await other.getByLabel('API key').fill(await rival());
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByRole('button', { name: 'Your key' }).waitFor();

  await page.bringToFront();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Theirs').first().waitFor();
  assert.ok(!(await page.getByRole('main').textContent())?.includes('Ours'));
});

test('signing in anew in another tab with the same key leaves this one at work', async () => {
  const person = await signedIn(browser, host, { key: spare });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByRole('link', { name: 'Ours' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Ours' }).waitFor();
  const other = await person.context.newPage();
  await other.goto(`${host.url}/settings/alerts`);
  await other.getByRole('button', { name: 'Your key' }).click();
  await other.getByRole('menuitem', { name: 'Sign out' }).click();
  await other.getByLabel('API key').fill(spare);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByRole('button', { name: 'Your key' }).waitFor();

  await page.bringToFront();
  // The first change may be the one by which the page notices.
  for (const wanted of ['Switch on', 'Switch off']) {
    const button = page.getByRole('button', { name: wanted });
    while ((await button.count()) === 0) {
      await page.getByRole('button', { name: /^Switch o/ }).click();
      await page.waitForTimeout(200);
    }
  }
});

test('a platform key that signs out and in again at the same address goes on in its namespace', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/webhooks');
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').first().waitFor();
  await page.getByRole('button', { name: 'Your key' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByLabel('API key').fill(host.key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').first().waitFor();
});

test('a namespace that the mouse passes over is not gone to', async () => {
  await rival();
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open('/tenants');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.headers()['x-exosphere-namespace'] ?? ''));
  await page.getByRole('link', { name: 'rivals' }).hover();
  await page.getByRole('link', { name: 'Webhooks' }).first().click();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').first().waitFor();
  assert.ok(!asked.includes('rivals'), asked.join());
});
