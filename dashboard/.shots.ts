import { chromium } from 'playwright-core';
import { startHost, failedRun, idOf } from './e2e/support/host.ts';
import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
const out = '/tmp/pages';
await mkdir(out, { recursive: true });
let healed = false;
const server = createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    const p = req.url ?? '';
    const s = p.startsWith('/down') ? 503 : p.startsWith('/gone') ? 410 : p.startsWith('/flaky') ? (Math.random() < 0.4 ? 429 : 200) : p.startsWith('/dead') && !healed ? 500 : 200;
    res.writeHead(s, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ status: s, message: s === 200 ? 'ok' : 'the service is not well today' }));
  });
});
await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
const base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
const host = await startHost();
const api = host.api;
const wh = async (name: string, path: string, more = {}) => idOf(await api('POST', '/v1/webhooks', { name, target_url: base + path, ...more }));
const ok = await wh('#oncall', '/ok');
const flaky = await wh('Data platform', '/flaky');
const down = await wh('Billing service', '/down');
const dead = await wh('Legacy receiver', '/dead');
const gone = await wh('Retired bot', '/gone');
const off = await wh('Staging', '/ok', { is_active: false });
await api('POST', '/v1/webhooks', { name: 'Slack', target: 'slack', target_url: 'https://hooks.slack.com/services/T000/B000/abcdefgh1234' });
const rule = async (name: string, id: string, more = {}) => idOf(await api('POST', '/v1/alert-rules', { name, event_type: 'workflow.failed', webhook_endpoint_id: id, ...more }));
const r1 = await rule('On failure', ok, { condition: 'event.data.errored_count > 1', rate_limit: { per_minute: 10 } });
await rule('Everything to the data platform', flaky, { event_type: 'workflow.*', retry_policy: { max_retries: 3, strategy: 'FIXED', backoff_factor: 200 } });
await rule('Billing failures', down, { retry_policy: { max_retries: 8, strategy: 'FIXED', backoff_factor: 30000 } });
await rule('Legacy copy', dead, { retry_policy: { max_retries: 0 } });
const rg = await rule('To the retired bot', gone);
await rule('Never seen', ok, { event_type: 'workflow.stuck' });
for (let i = 0; i < 14; i++) await api('POST', '/v1/events', { ...failedRun(['nightly-etl', 'invoice', 'daily-report'][i % 3]!), ...(i % 4 === 3 ? { type: 'workflow.succeeded' } : {}) });
await api('PATCH', `/v1/alert-rules/${r1}`, { condition: 'event.data.errored_count > 0', name: 'On any failure' });
await api('PATCH', `/v1/webhooks/${flaky}`, { headers: { 'x-team': 'data' }, rate_limit: { per_minute: 60 } });
await api('PATCH', '/v1/tenants/payments', { rate_limit: { per_minute: 600 } }, { key: host.key });
await api('POST', `/v1/webhooks/${ok}/rotate-secret`, {});
await new Promise((r) => setTimeout(r, 6000));
healed = true;
const dl = (await api('GET', '/v1/dead-letters?limit=50')).body.data as { id: string; webhook_endpoint_id: string }[];
const two = dl.filter((d) => d.webhook_endpoint_id === dead).slice(0, 2).map((d) => d.id);
console.log('dead', dl.length, 'redrive', (await api('POST', '/v1/dead-letters/redrive', { ids: two })).status);
console.log(JSON.stringify((await api('GET', '/v1/deliveries/counts')).body));
const viewer = String((await api('POST', '/v1/api-keys', { name: 'viewer', role: 'viewer' })).body.key);
await new Promise((r) => setTimeout(r, 2000));
const deadId = dl.find((d) => d.id === two[0])!.id;

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const only = process.env.ONLY?.split(',');
try {
  for (const [colours, w, h] of (process.env.SETS ?? 'dark:1440:900,light:375:812').split(',').map((s) => s.split(':')) as [string, string, string][]) {
    const context = await browser.newContext({ viewport: { width: +w, height: +h }, colorScheme: colours as 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(40_000);
    const page = await context.newPage();
    page.on('console', (m) => m.type() === 'error' && !m.text().includes('Failed to load resource') && console.log('CONSOLE', m.text()));
    page.on('pageerror', (e) => console.log('PAGEERROR', e.message));
    const open = async (path: string) => {
      await page.goto(`${host.url}/settings/alerts${path}${path.includes('?') ? '&' : '?'}ns=payments`);
      await page.locator('main').waitFor();
      await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label="Loading"]'));
      await page.waitForTimeout(700);
    };
    const shot = async (name: string, fullPage = true) => {
      if (only && !only.includes(name)) return;
      await page.screenshot({ path: `${out}/${name}-${colours}-${w}.png`, fullPage });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) console.log('OVERFLOW', name, w, over);
    };
    const signIn = async (key: string) => {
      await page.goto(`${host.url}/settings/alerts/?ns=payments`);
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Your key' }).waitFor();
    };
    await signIn(host.key);
    for (const [name, path] of [['overview', '/'], ['webhooks', '/webhooks'], ['webhook', `/webhooks/${flaky}`], ['webhook-down', `/webhooks/${down}`], ['webhook-rotated', `/webhooks/${ok}`], ['webhook-gone', `/webhooks/${gone}`], ['rules', '/rules'], ['rule-off', `/rules/${rg}`], ['deliveries', '/deliveries'], ['delivery-redriven', `/deliveries/${deadId}`], ['dead-letters', '/dead-letters'], ['dead-sent', '/dead-letters?sent=1'], ['hosts', '/hosts'], ['plugin', '/plugins/http'], ['tenants', '/tenants'], ['none-match', '/webhooks?q=zzz']] as const) {
      if (only && !only.includes(name)) continue;
      await open(path);
      await shot(name);
    }
    if (!only || only.includes('webhook-add')) {
      await open('/webhooks?add=1');
      const sheet = page.getByRole('dialog');
      await sheet.getByLabel('URL', { exact: true }).fill(base + '/gone');
      await sheet.getByRole('button', { name: 'Preview' }).click();
      await sheet.getByText('This is what is sent for a sample event').waitFor();
      await sheet.getByRole('button', { name: 'Send test' }).click();
      await sheet.locator('[data-test-answer]').waitFor();
      await sheet.locator('[data-test-answer]').scrollIntoViewIfNeeded();
      await shot('webhook-add', false);
      await sheet.getByLabel('URL', { exact: true }).fill('http://10.0.0.1/');
      await sheet.getByRole('button', { name: 'Send test' }).click();
      await sheet.getByText('Nothing was sent').waitFor();
      await page.waitForTimeout(800);
      await sheet.getByText('Nothing was sent').scrollIntoViewIfNeeded();
      await shot('webhook-add-refused', false);
      if (!only || only.includes('webhook-edit')) {
        await open(`/webhooks/${down}`);
        await page.getByRole('button', { name: 'Edit' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Send test' }).click();
        await page.getByRole('dialog').locator('[data-test-answer]').waitFor();
        await shot('webhook-edit', false);
      }
    }
    if (!only || only.includes('redrive')) {
      await open('/dead-letters');
      await page.getByRole('button', { name: /^Resend \d+$/ }).first().click();
      await shot('redrive', false);
    }
    if (!only || only.includes('audit')) {
      await open('/audit');
      for (const s of await page.locator('summary').all()) await s.click();
      await shot('audit');
    }
    if (!only || only.includes('viewer')) {
      await context.clearCookies();
      await signIn(viewer);
      for (const p of ['webhooks', 'rules', 'dead-letters']) { await open('/' + p); await shot('viewer-' + p, false); }
    }
    await context.close();
    console.log('done', colours, w);
  }
} finally {
  await browser.close();
  await host.stop();
  server.closeAllConnections();
  server.close();
}
