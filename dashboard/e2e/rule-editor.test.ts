/** The rule editor: the past as bars, mistakes at their column, and two people at one rule. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { assertNoComplaints, signedIn, startBrowser } from './support/browser.ts';
import { failedRun, idOf, startHost, type Host } from './support/host.ts';

let host: Host;
let browser: Browser;
let endpoint: string;

before(async () => {
  [host, browser] = await Promise.all([startHost(), startBrowser()]);
  endpoint = idOf(
    await host.api('POST', '/v1/webhooks', { name: '#oncall', target_url: 'http://127.0.0.1:9/' }),
  );
  for (const errors of [1, 2, 3, 4, 5]) {
    await host.api('POST', '/v1/events', failedRun('nightly-etl', { errored_count: errors }));
  }
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

async function writeCondition(page: Page, text: string) {
  const editor = page.locator('[data-condition-editor]').getByRole('textbox');
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

test('a draft rule is tried on the past, and the bars are what it would have sent', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest="5"]').waitFor();
  await writeCondition(page, 'event.data.errored_count > 3');
  await page.locator('[data-backtest="2"]').waitFor();
  await page.locator('[data-sentence]').getByText('errored_count > 3').waitFor();
  const bar = page.getByRole('figure').getByRole('button', { name: /2 alerts/ });
  assert.equal(await bar.getAttribute('data-value'), '2');
  await bar.click();
  assert.equal(
    await page.getByRole('list', { name: 'Events behind the bar' }).getByRole('link').count(),
    2,
  );
  assertNoComplaints(person);
});

test('a wrong condition is marked at its column', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest]').waitFor();
  await writeCondition(page, 'event.data.errored_count > > 3');
  const mark = page.locator('[data-diagnostic]');
  await mark.waitFor();
  assert.equal(await mark.getAttribute('data-column'), '28');
  const underlined = page.locator('[data-condition-editor]').locator('.cm-lintRange-error');
  assert.equal(await underlined.textContent(), '>');
  assertNoComplaints(person);
});

test('a recent event says which value decided', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest]').waitFor();
  await writeCondition(page, 'event.data.errored_count > 9');
  await page.locator('[data-why-not]').getByText('errored_count is 5; needs > 9').waitFor();
});

test('fields of recent events are offered with a value', async () => {
  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest]').waitFor();
  const editor = page.locator('[data-condition-editor]').getByRole('textbox');
  await editor.click();
  await page.keyboard.type('event.data.err');
  await page
    .locator('[data-condition-editor]')
    .getByRole('option', { name: /errored_count/ })
    .first()
    .waitFor();
  assertNoComplaints(person);
});

test('two tabs that edit one rule get the conflict shown, and nothing is overwritten', async () => {
  const rule = idOf(
    await host.api('POST', '/v1/alert-rules', {
      name: 'Shared',
      event_type: 'workflow.failed',
      webhook_endpoint_id: endpoint,
    }),
  );
  const one = await signedIn(browser, host);
  const other = await signedIn(browser, host);
  for (const person of [one, other]) {
    await person.open(`/rules/${rule}`);
    await person.page.getByLabel('Name', { exact: true }).waitFor();
  }
  await one.page.getByLabel('Name', { exact: true }).fill('Mine');
  await one.page.getByRole('button', { name: 'Save', exact: true }).click();
  await one.page.getByRole('heading', { level: 1, name: 'Mine' }).waitFor();

  await other.page.getByLabel('Name', { exact: true }).fill('Theirs');
  await other.page.getByRole('button', { name: 'Save', exact: true }).click();
  await other.page.getByText('Somebody else changed this rule while you were editing.').waitFor();
  await other.page.locator('[data-theirs]').getByText('Mine').waitFor();
  assert.equal((await host.api('GET', `/v1/alert-rules/${rule}`)).body.name, 'Mine');
  assert.equal(
    await other.page.getByLabel('Name', { exact: true }).inputValue(),
    'Theirs',
    'what was written is kept',
  );
  await other.page.getByRole('button', { name: 'Take theirs' }).click();
  await other.page.getByRole('button', { name: 'Save', exact: true }).waitFor();
  assert.equal(await other.page.getByLabel('Name', { exact: true }).inputValue(), 'Mine');
});

test('switching a rule does not hide that somebody else changed it meanwhile', async () => {
  const rule = idOf(
    await host.api('POST', '/v1/alert-rules', {
      name: 'Switched',
      event_type: 'workflow.failed',
      condition: 'event.data.errored_count > 1',
      webhook_endpoint_id: endpoint,
    }),
  );
  const { page, open } = await signedIn(browser, host);
  await open(`/rules/${rule}`);
  await page.getByLabel('Name', { exact: true }).waitFor();
  const theirs = { condition: 'event.data.errored_count > 99' };
  assert.equal((await host.api('PATCH', `/v1/alert-rules/${rule}`, theirs)).status, 200);
  await page.getByRole('button', { name: 'Switch off' }).click();
  await page.getByRole('button', { name: 'Switch on' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Mine');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody else changed this rule while you were editing.').waitFor();
  const { body } = await host.api('GET', `/v1/alert-rules/${rule}`);
  assert.deepEqual([body.name, body.condition], ['Switched', theirs.condition]);
});

test('a mistake that is mended is told no more, also when a save told of it', async () => {
  const { page, open } = await signedIn(browser, host);
  await open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest]').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Mended');
  await writeCondition(page, 'event.data.errored_count >');
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.getByText('Mend the condition').waitFor();
  await writeCondition(page, 'event.data.errored_count > 3');
  await page.locator('[data-backtest]').waitFor();
  await page.getByText('Mend the condition').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('who leaves a rule that is not saved is asked, and stays with what was written', async () => {
  const { page, open } = await signedIn(browser, host);
  await open('/rules/new');
  await page.getByLabel('Name', { exact: true }).fill('Half written');
  await page.getByRole('link', { name: 'Deliveries' }).first().click();
  const asked = page.getByRole('dialog', { name: 'Leave without saving?' });
  await asked.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Half written');
  await page.getByRole('link', { name: 'Deliveries' }).first().click();
  await asked.getByRole('button', { name: 'Leave' }).click();
  await page.getByRole('heading', { level: 1, name: 'Deliveries' }).waitFor();
});

test('the bars of a backtest are, one by one, what the API counts', async () => {
  const dayMs = 86_400_000;
  const days = [6, 4, 4, 4, 2, 2, 1];
  for (const ago of days) {
    const time = new Date(Date.now() - ago * dayMs).toISOString();
    const { status } = await host.api('POST', '/v1/events', { ...failedRun('past'), time });
    assert.equal(status, 202);
  }
  const condition = "event.data.graph_name == 'past'";
  const counted = await host.api('POST', '/v1/alert-rules/backtest', {
    rule: {
      name: 'Draft',
      event_type: 'workflow.failed',
      webhook_endpoint_id: endpoint,
      condition,
    },
    from: new Date(Date.now() - 7 * dayMs).toISOString(),
  });
  const matches = counted.body.matches as { at: string }[];
  const byDay = new Map<number, number>();
  for (const { at } of matches) {
    const ago = Math.round((Date.now() - Date.parse(at)) / dayMs);
    byDay.set(ago, (byDay.get(ago) ?? 0) + 1);
  }
  const expected = [...byDay].sort(([a], [b]) => b - a).map(([, count]) => count);
  assert.deepEqual(expected, [1, 3, 2, 1], 'what was posted');

  const person = await signedIn(browser, host);
  const { page } = person;
  await person.open(`/rules/new?endpoint=${endpoint}`);
  await page.locator('[data-backtest]').waitFor();
  await writeCondition(page, condition);
  await page.locator(`[data-backtest="${counted.body.total}"]`).waitFor();
  const bars = page.getByRole('figure').locator('button[data-value]');
  const heights = await bars.evaluateAll((all) =>
    all.map((bar) => [
      Number(bar.getAttribute('data-value')),
      Math.round(bar.firstElementChild?.getBoundingClientRect().height ?? 0),
    ]),
  );
  assert.deepEqual(
    heights.map(([value]) => value),
    expected,
  );
  const [tallest = 0] = heights.map(([, height]) => height ?? 0).sort((a, b) => b - a);
  for (const [value = 0, height = 0] of heights) {
    assert.ok(
      Math.abs(height - (tallest * value) / 3) <= 1,
      `${value}: ${height} of ${tallest} px`,
    );
  }
  for (const [i, count] of expected.entries()) {
    await bars.nth(i).click();
    const behind = page.getByRole('list', { name: 'Events behind the bar' }).getByRole('link');
    await behind.nth(count - 1).waitFor();
    assert.equal(await behind.count(), count);
  }
  assertNoComplaints(person);
});
