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
