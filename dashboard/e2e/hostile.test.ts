/** What strangers wrote (names, events, answers of targets, plugins' manifests) is shown as text, and runs nowhere. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { failedRun, idOf, startHost, until, type Host } from './support/host.ts';
import { pluginThatSays } from './support/plugin.ts';
import { startReceiver, type Receiver } from './support/receiver.ts';

/** Each leaves a mark if it is ever taken for more than text. */
const MARKUP = `"><img src=x onerror="window.ran=1"><script>window.ran=1</script>`;
const RIGHT_TO_LEFT = '\u202egnp.exe';
const HOSTILE = `${MARKUP}${RIGHT_TO_LEFT}`;
const MIB = 1024 * 1024;

let host: Host;
let browser: Browser;
let receiver: Receiver;
let ids: Record<'webhook' | 'rule' | 'event' | 'delivery', string>;

before(async () => {
  [host, browser, receiver] = await Promise.all([startHost(), startBrowser(), startReceiver()]);
  receiver.answer(500, MARKUP + RIGHT_TO_LEFT + 'z'.repeat(MIB), {
    'content-type': 'text/html',
    'x-said': MARKUP,
  });
  await host.upload(
    await pluginThatSays({
      id: 'hostile',
      summary: HOSTILE,
      settings: {
        type: 'object',
        properties: {
          query: {
            title: HOSTILE,
            description: HOSTILE,
            type: 'object',
            properties: { a: { title: HOSTILE, type: 'string', description: HOSTILE } },
          },
        },
      },
    }),
  );
  const webhook = idOf(
    await host.api('POST', '/v1/webhooks', { name: MARKUP, target_url: receiver.url }),
  );
  const rule = idOf(
    await host.api('POST', '/v1/alert-rules', {
      name: MARKUP,
      event_type: 'workflow.failed',
      webhook_endpoint_id: webhook,
      retry_policy: { max_retries: 0 },
    }),
  );
  const run = failedRun(HOSTILE, { error: HOSTILE, log: 'z'.repeat(200_000) });
  const posted = await host.api('POST', '/v1/events', run);
  const [event] = posted.body.events as { id: string }[];
  const dead = async () =>
    (await host.api('GET', '/v1/dead-letters')).body.data as { id: string }[];
  await until(
    async () => (await dead()).length === 1,
    () => 'the alert is not dead',
  );
  const [delivery] = await dead();
  ids = { webhook, rule, event: String(event?.id), delivery: String(delivery?.id) };
});
after(async () => {
  await browser?.close();
  await receiver?.stop();
  await host?.stop();
});

/** Nothing of it became an element, and nothing ran. */
async function assertOnlyText(page: Page, where: string) {
  const found = await page.evaluate(() => ({
    ran: (window as unknown as { ran?: number }).ran,
    images: document.querySelectorAll('img').length,
    scripts: [...document.scripts].filter((script) => !script.src).length,
    bodyPixels: document.documentElement.scrollWidth - window.innerWidth,
  }));
  assert.deepEqual(
    { ...found, bodyPixels: Math.max(0, found.bodyPixels) },
    { ran: undefined, images: 0, scripts: 0, bodyPixels: 0 },
    where,
  );
}

test('an answer of a megabyte, an event and names are text on every page that shows them', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  const pages: [string, string][] = [
    ['/', 'onerror'],
    ['/webhooks', '<script>'],
    [`/webhooks/${ids.webhook}`, '<script>'],
    ['/rules', '<script>'],
    [`/rules/${ids.rule}`, '<script>'],
    ['/rules/new', 'Add rule'],
    ['/deliveries', '<script>'],
    [`/deliveries/${ids.delivery}`, '<script>'],
    ['/dead-letters', '<script>'],
    ['/events', '<script>'],
    [`/events/${ids.event}`, '<script>'],
    ['/audit', '<script>'],
  ];
  for (const [path, shown] of pages) {
    await person.open(path);
    await page.getByRole('main').getByText(shown).filter({ visible: true }).first().waitFor();
    await assertOnlyText(page, path);
  }
  assertNoComplaints(person);
});

test('what changes the direction of text is made visible, and a long answer is cut until it is asked for', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/deliveries/${ids.delivery}`);
  const answer = page.getByLabel('Body of the response').last();
  const text = (await answer.textContent()) ?? '';
  assert.ok(text.includes(`${MARKUP}‹U+202E›gnp.exe`), text.slice(0, 200));
  assert.ok(text.length < 5_000, `${text.length} characters`);
  await page.getByText(MARKUP).first().waitFor();
  const whole = page.getByRole('button', { name: /^Show all/ }).last();
  await whole.click();
  await page.getByRole('button', { name: 'Show less' }).last().waitFor();
  await assertOnlyText(page, 'the whole answer');
  assertNoComplaints(person);
});

test("a plugin's manifest is text, in the list, on its page and in the form that its schema makes", async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  for (const path of ['/plugins', '/plugins/hostile']) {
    await person.open(path);
    await page.getByRole('main').getByText('<script>').filter({ visible: true }).first().waitFor();
    await assertOnlyText(page, path);
  }
  await person.open('/webhooks?add=1');
  const sheet = page.getByRole('dialog');
  await sheet.locator('label', { hasText: 'onerror' }).first().click();
  await sheet.getByText('<script>').nth(1).waitFor();
  await assertOnlyText(page, 'the form');
  assertNoComplaints(person);
});

test('what is searched for and what stands in the address is text too', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  for (const path of ['/webhooks', '/rules', '/tenants', '/audit']) {
    await person.open(`${path}?q=${encodeURIComponent(`${MARKUP}?`)}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await assertOnlyText(page, path);
  }
  for (const path of ['/deliveries', '/webhooks', '/rules', '/events', '/plugins']) {
    await person.open(`${path}/${encodeURIComponent(MARKUP)}`);
    await page.getByRole('alert').first().waitFor();
    await assertOnlyText(page, path);
  }
  assertNoComplaints(person);
});
