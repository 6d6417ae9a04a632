/** Who sees what, and who may change it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser, visitor } from './support/browser.ts';
import { failedRun, idOf, startHost, until, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let viewer: string;
let editor: string;
/** Pages of another tenant's things. */
let foreign: string[];

/** A webhook, a rule, an event and its delivery, all called by the name. */
async function furnish(namespace: string, name: string): Promise<string[]> {
  const of = { namespace };
  const endpoint = { name, target_url: 'http://127.0.0.1:9/' };
  const webhook = idOf(await host.api('POST', '/v1/webhooks', endpoint, of));
  const rule = idOf(
    await host.api(
      'POST',
      '/v1/alert-rules',
      { name, event_type: 'workflow.failed', webhook_endpoint_id: webhook },
      of,
    ),
  );
  const posted = await host.api('POST', '/v1/events', { ...failedRun(name), namespace }, of);
  const [event] = posted.body.events as { id: string }[];
  const listed = await host.api('GET', '/v1/deliveries', undefined, of);
  const [delivery] = listed.body.data as { id: string }[];
  assert.ok(event && delivery, 'the rule has fired');
  return [
    `/webhooks/${webhook}`,
    `/rules/${rule}`,
    `/events/${event.id}`,
    `/deliveries/${delivery.id}`,
  ];
}

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  await furnish('payments', 'Ours');
  foreign = await furnish('rivals', 'Foreign');
  const key = async (role: string) =>
    String((await host.api('POST', '/v1/api-keys', { name: role, role })).body.key);
  [viewer, editor] = [await key('viewer'), await key('editor')];
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

test('a wrong key is told so, and nobody is let in', async () => {
  const { page } = await visitor(browser, host);
  await page.getByLabel('API key').fill('exo_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This key is not known here').waitFor();
});

test("another tenant's things are never shown, whatever address is typed", async () => {
  const person = await signedIn(browser, host, { key: editor });
  const { page } = person;
  for (const path of foreign) {
    await person.open(path);
    await page.getByText('There is nothing here').waitFor();
    assert.equal(await page.getByText('Foreign').count(), 0, path);
  }
  // A tenant's key has a namespace of its own, whatever the address says.
  for (const [path, list] of [
    ['/webhooks', 'Webhooks'],
    ['/rules', 'Rules'],
    ['/deliveries', 'Deliveries'],
  ] as const) {
    await person.open(`${path}?ns=rivals`);
    await page.getByRole('list', { name: list }).getByText('Ours').first().waitFor();
    assert.equal(await page.getByText('Foreign').count(), 0, path);
  }
  await person.open('/tenants');
  await page.getByText('Your key may not see this').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Tenants' }).count(), 0);
});

test('a platform key that changes its namespace sees nothing of the one before', async () => {
  const { page } = await signedIn(browser, host, { namespace: null });
  const toWebhooks = () =>
    page
      .getByRole('navigation', { name: 'Pages', exact: true })
      .getByRole('link', { name: 'Webhooks' })
      .click();
  await page.getByRole('heading', { name: 'Choose a namespace' }).waitFor();
  await page.getByRole('option', { name: 'payments' }).first().click();
  await toWebhooks();
  const list = page.getByRole('list', { name: 'Webhooks' });
  await list.getByText('Ours').first().waitFor();
  await page.getByRole('button', { name: /Namespace: payments/ }).click();
  await page.getByRole('option', { name: 'rivals' }).click();
  await toWebhooks();
  await list.getByText('Foreign').first().waitFor();
  assert.equal(await page.getByText('Ours').count(), 0);
});

test("with a viewer's key nothing can be changed, and it says why", async () => {
  const person = await signedIn(browser, host, { key: viewer });
  const { page } = person;
  await person.open('/webhooks');
  await page
    .getByText('Your key may look and not change. Adding a webhook needs the role editor.')
    .waitFor();
  await page.getByRole('list', { name: 'Webhooks' }).getByText('Ours').click();
  await page.getByRole('button', { name: 'Preview' }).waitFor();
  await page.getByText('Changing a webhook needs the role editor').waitFor();
  for (const name of ['Add webhook', 'Edit', 'Switch off', 'Send test', 'Rotate secret']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  }
  await person.open('/rules');
  const turn = page.getByRole('switch', { name: /Ours/ });
  await turn.waitFor();
  assert.ok(await turn.isDisabled());
  await page.getByRole('list', { name: 'Rules' }).getByText('Ours').first().click();
  await page.getByText('Changing a rule needs the role editor').waitFor();
  assert.ok(await page.getByLabel('Name', { exact: true }).isDisabled());
  assert.equal(await page.getByRole('button', { name: 'Save', exact: true }).count(), 0);
  await page.getByRole('button', { name: 'Your key' }).click();
  await page.getByText('Viewer: sees everything, changes nothing').waitFor();
});

test('the server decides, whatever a page offers: a viewer who posts past it is refused, and told what is needed', async () => {
  const { page } = await signedIn(browser, host, { key: viewer });
  const before = await host.api('GET', '/v1/webhooks');
  const answer = await page.evaluate(async () => {
    const session = (await (await fetch('/v1/session')).json()) as { csrf_token: string };
    const answer = await fetch('/v1/webhooks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token },
      body: JSON.stringify({ name: 'x', target_url: 'http://127.0.0.1:9/' }),
    });
    return { status: answer.status, text: await answer.text() };
  });
  assert.equal(answer.status, 403);
  assert.match(answer.text, /editor/);
  assert.deepEqual((await host.api('GET', '/v1/webhooks')).body, before.body);
});

test('a role that was lowered while a page was open is refused, and the page says why and keeps what was written', async () => {
  const { page, open, ...person } = await signedIn(browser, host, { key: editor });
  await open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Too late');
  await page.getByLabel('Tell').selectOption({ label: 'Ours' });
  // The same person signs in as a viewer in another tab; both have one session.
  const other = await person.context.newPage();
  await other.goto(page.url());
  await other.evaluate(
    (key) =>
      fetch('/v1/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      }),
    viewer,
  );
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByRole('alert').first().waitFor();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Too late');
  const rules = (await host.api('GET', '/v1/alert-rules')).body.data as { name: string }[];
  assert.ok(!rules.some(({ name }) => name === 'Too late'));
  await until(
    async () => (await page.getByRole('button', { name: 'Your key' }).count()) === 1,
    () => 'the page is gone',
  );
  assertNoComplaints(person);
});
