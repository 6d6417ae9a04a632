/** Every page and dialog, light and dark, wide and narrow: axe finds nothing, nothing is cut off, nothing is refused by the policy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { settled, violations } from './support/axe.ts';
import { assertNoComplaints, signedIn, startBrowser, visitor } from './support/browser.ts';
import { failedRun, idOf, startHost, until, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let pages: string[];

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  const endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: '#oncall', target_url: 'http://127.0.0.1:9/' }),
  );
  const rule = idOf(
    await host.api('POST', '/v1/alert-rules', {
      name: 'On failure',
      event_type: 'workflow.failed',
      webhook_endpoint_id: endpoint,
      retry_policy: { max_retries: 0 },
    }),
  );
  const posted = await host.api('POST', '/v1/events', failedRun('nightly-etl'));
  const [event] = posted.body.events as { id: string }[];
  const dead = async () =>
    (await host.api('GET', '/v1/dead-letters')).body.data as { id: string }[];
  await until(
    async () => (await dead()).length > 0,
    () => 'the alert is not dead',
  );
  const [delivery] = await dead();
  pages = [
    '/',
    '/webhooks',
    `/webhooks/${endpoint}`,
    '/rules',
    '/rules/new',
    `/rules/${rule}`,
    '/deliveries',
    `/deliveries/${delivery?.id}`,
    '/dead-letters',
    '/events',
    `/events/${event?.id}`,
    '/plugins',
    '/plugins/http',
    '/keys',
    '/tenants',
    '/hosts',
    '/sources',
    '/audit',
    '/no-such-page',
  ];
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** What opens in front of a page: where, and what is pressed there. */
const FRONTS: [string, (page: Page) => Promise<void>][] = [
  [
    '/webhooks?add=1',
    (page) => page.getByRole('dialog').getByLabel('Name', { exact: true }).waitFor(),
  ],
  ['/keys', (page) => press(page, /^(New|Create|Add|Make).* key$/)],
  ['/plugins', (page) => press(page, 'Upload plugin')],
  ['/events', (page) => press(page, /^Post/)],
  ['/dead-letters', (page) => press(page, /^Resend/)],
  ['/', (page) => page.keyboard.press('?')],
];

async function press(page: Page, name: string | RegExp) {
  await page.getByRole('main').getByRole('button', { name }).first().click();
}

const LOOKS = [
  { colours: 'dark', width: 1440 },
  { colours: 'dark', width: 375 },
  { colours: 'light', width: 375 },
  { colours: 'light', width: 1440 },
] as const;

/** What axe finds in each look, and by how much the page is too wide for its window. */
async function faults(page: Page, where: string): Promise<string[]> {
  const found: string[] = [];
  for (const { colours, width } of LOOKS) {
    const look = `${where}, ${colours}, ${width} px:`;
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
    await page.waitForFunction(
      (theme) => document.documentElement.dataset.theme === theme,
      colours,
    );
    await settled(page);
    found.push(...(await violations(page)).map((each) => `${look} ${each}`));
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    );
    if (overflow > 0) found.push(`${look} ${overflow} px too wide`);
  }
  return found;
}

test('axe finds nothing before somebody is signed in', async () => {
  const stranger = await visitor(browser, host);
  const { page } = stranger;
  await page.getByLabel('API key').waitFor();
  assert.deepEqual(await faults(page, 'the sign-in'), []);
  await page.goto(`${host.url}/settings/alerts/portal`);
  await page.getByText('This is only half of a link').waitFor();
  assert.deepEqual(await faults(page, 'a link that does not open'), []);
  assertNoComplaints(stranger);
});

test('axe finds nothing on any page', async () => {
  const person = await signedIn(browser, host);
  const found: string[] = [];
  for (const path of pages) {
    await person.open(path);
    await settled(person.page);
    found.push(...(await faults(person.page, path)));
  }
  assert.deepEqual(found, []);
  assertNoComplaints(person);
});

test('axe finds nothing in any dialog, nor when the session has ended', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  const found: string[] = [];
  for (const [path, open] of FRONTS) {
    await person.open(path);
    await settled(page);
    await open(page);
    await page.getByRole('dialog').waitFor();
    found.push(...(await faults(page, `the dialog on ${path}`)));
  }
  await person.open('/webhooks?add=1');
  await page.getByRole('dialog').getByLabel('URL', { exact: true }).fill('http://127.0.0.1:9/');
  await person.context.clearCookies();
  await page.getByRole('button', { name: 'Add webhook' }).last().click();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  found.push(...(await faults(page, 'a session that has ended')));
  assert.deepEqual(found, []);
  assertNoComplaints(person);
});
