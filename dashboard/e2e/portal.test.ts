/** Portal links: opened once, in one namespace, as the link says; also within another site's page. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser, stranger } from './support/browser.ts';
import { idOf, startHost, until, type Host } from './support/host.ts';
import { startSite, type Site } from './support/site.ts';

let site: Site;
let host: Host;
let browser: Browser;

before(async () => {
  site = await startSite();
  [host, browser] = await Promise.all([
    startHost({ ALERTS_FRAME_ANCESTORS: site.at('localhost', '') }),
    startBrowser(),
  ]);
  for (const [name, namespace] of [
    ['Ours', 'payments'],
    ['Foreign', 'rivals'],
  ] as const) {
    const endpoint = { name, target_url: 'http://127.0.0.1:9/' };
    idOf(await host.api('POST', '/v1/webhooks', endpoint, { namespace }));
  }
});
after(async () => {
  await browser?.close();
  await host?.stop();
  await site?.stop();
});

const link = async (more: Record<string, unknown> = {}) => String((await made(more)).url);

async function made(more: Record<string, unknown>): Promise<Record<string, unknown>> {
  const made = await host.api('POST', '/v1/portal-links', {
    role: 'viewer',
    expires_in_s: 600,
    ...more,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const isIn = (page: Page) => page.getByRole('button', { name: 'Your key' }).waitFor();

test('a link opens the dashboard in its namespace, and its token leaves the address at once', async () => {
  const guest = await stranger(browser);
  const { page } = guest;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const url = await link();
  const token = url.split('#')[1] ?? '';
  assert.match(token, /^exo_portal_/);
  await page.goto(url);
  await isIn(page);
  await page.getByText('payments').first().waitFor();
  assert.match(new URL(page.url()).pathname, /^\/settings\/alerts\/?$/);
  assert.equal(new URL(page.url()).hash, '');
  assert.deepEqual(
    asked.filter((each) => each.includes(token)),
    [],
    'the token stands in no address',
  );
  await page.goBack().catch(() => null);
  assert.ok(!page.url().includes(token), 'nor in the history');

  await page.goto(`${host.url}/settings/alerts/webhooks?ns=rivals`);
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').waitFor();
  assert.equal(await page.getByText('Foreign').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Tenants' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Add webhook' }).count(), 0, 'a viewer');
  assertNoComplaints(guest);
});

test('the page looks as the link says, and leads back to where it says', async () => {
  const guest = await stranger(browser, { colours: 'light' });
  const { page } = guest;
  const look = { theme: 'dark', accent: '#ff8800', return_url: 'https://exosphere.example.com/x' };
  await page.goto(await link({ ...look, role: 'editor' }));
  await isIn(page);
  await page.goto(`${host.url}/settings/alerts/webhooks`);
  const add = page.getByRole('button', { name: 'Add webhook' });
  await add.waitFor();
  const colours = () =>
    add.evaluate((button) => {
      const { backgroundColor, color } = getComputedStyle(button);
      return [document.documentElement.dataset.theme, backgroundColor, color];
    });
  assert.deepEqual(await colours(), ['dark', 'rgb(255, 136, 0)', 'rgb(3, 16, 53)']);
  assert.equal(
    await page.getByRole('link', { name: 'Back to exosphere.example.com' }).getAttribute('href'),
    'https://exosphere.example.com/x',
  );

  await page.getByRole('button', { name: 'Colours' }).click();
  await page.getByRole('menuitemradio', { name: 'Light' }).click();
  assert.equal((await colours())[0], 'light', 'the person has the last word');
  await page.reload();
  await add.waitFor();
  assert.equal((await colours())[0], 'light');
  assertNoComplaints(guest);
});

test('whoever signs out of a session that a link opened is led back to where the link was given', async () => {
  const guest = await stranger(browser);
  const { page } = guest;
  await page.goto(await link({ return_url: 'https://exosphere.example.com/x' }));
  await isIn(page);
  await page.getByRole('button', { name: 'Your key' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Exosphere Alerts' }).waitFor();
  await page.getByText('You are signed out. A new link opens another session').waitFor();
  const back = page.getByRole('link', { name: 'Back to exosphere.example.com' });
  assert.equal(await back.getAttribute('href'), 'https://exosphere.example.com/x');
  assertNoComplaints(guest);
});

test('whoever comes by a link sees nothing of whoever was signed in before', async () => {
  const person = await signedIn(browser, host, { namespace: 'rivals' });
  const { page } = person;
  await person.open('/webhooks');
  await page.getByText('Foreign').waitFor();
  await page.goto(await link());
  await isIn(page);
  await page
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Webhooks' })
    .click();
  await page.getByText('Ours').waitFor();
  assert.equal(await page.getByText('Foreign').count(), 0);
});

test('a link that was opened before says so to somebody else, and a newer one opens in the same tab', async () => {
  const url = await link();
  const first = await stranger(browser);
  await first.page.goto(url);
  await isIn(first.page);

  const { page } = await stranger(browser);
  await page.goto(url);
  await page.getByRole('heading', { name: 'This link does not open any more' }).waitFor();
  await page.getByText('Ask for a new one where you got it.').waitFor();
  assert.ok(!page.url().includes('exo_portal_'));
  assert.equal(await page.getByRole('button', { name: 'Your key' }).count(), 0);
  // Only the part after the # differs, so the page is not loaded again.
  await page.goto(await link());
  await isIn(page);

  // Who opened it the first time has only to go on.
  await first.page.goto(url);
  await first.page.getByRole('button', { name: 'Go on to the dashboard' }).click();
  await isIn(first.page);
});

test('a link whose time is over, a wrong one and half of one are told with what to do next', async () => {
  const over = await made({ expires_in_s: 1 });
  await until(
    async () => {
      const { headers } = await fetch(`${host.url}/healthz`);
      return Date.parse(headers.get('date') ?? '') >= Date.parse(String(over.expires_at));
    },
    () => 'the time of the link is not over by the clock of the host',
  );
  const { page } = await stranger(browser);
  for (const [url, title] of [
    [String(over.url), 'This link does not open any more'],
    [`${host.url}/settings/alerts/portal#exo_portal_wrong`, 'This link does not open any more'],
    [`${host.url}/settings/alerts/portal`, 'This is only half of a link'],
  ] as const) {
    await page.goto('about:blank');
    await page.goto(url);
    await page.getByRole('heading', { name: title }).waitFor();
  }
  await page.getByRole('button', { name: 'Sign in with a key' }).click();
  await page.getByLabel('API key').waitFor();
});

test('a link that could not be opened while the server was away is not used up', async () => {
  const { page, context } = await stranger(browser);
  const url = await link();
  let isAway = true;
  await context.route('**/v1/session', (route) => (isAway ? route.abort() : route.continue()));
  await page.goto(url);
  await page.getByRole('heading', { name: 'The link could not be opened' }).waitFor();
  isAway = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await isIn(page);
});

test('in the frame of a site that may show it the dashboard works, and nobody is signed in outside', async () => {
  const guest = await stranger(browser);
  const { page, context } = guest;
  const url = await link({ role: 'editor', return_url: site.at('localhost', '/home') });
  site.serve('/home', '<h1>Home</h1>');
  site.serve('/framed', `<iframe src="${url}" width="1200" height="700"></iframe>`);
  await page.goto(site.at('localhost', '/framed'));
  const frame = page.frameLocator('iframe');
  await frame.getByRole('button', { name: 'Your key' }).waitFor();

  await frame
    .getByRole('navigation', { name: 'Pages', exact: true })
    .getByRole('link', { name: 'Webhooks' })
    .click();
  await frame.getByRole('button', { name: 'Add webhook' }).click();
  const sheet = frame.getByRole('dialog');
  await sheet.getByLabel('URL', { exact: true }).fill('http://127.0.0.1:9/framed');
  await sheet.getByLabel('Name', { exact: true }).fill('Made in a frame');
  await sheet.getByRole('button', { name: 'Add webhook' }).click();
  await sheet.getByText('Signing secret, shown this once').waitFor();
  await sheet.getByRole('button', { name: 'Close' }).click();

  const outside = await context.newPage();
  await outside.goto(`${host.url}/settings/alerts`);
  await outside.getByLabel('API key').waitFor();

  await frame.getByRole('link', { name: /^Back to localhost/ }).click();
  await page.getByRole('heading', { name: 'Home' }).waitFor();
  assertNoComplaints(guest);
});
