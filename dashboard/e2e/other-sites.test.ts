/** What another site's page may not do with the browser of somebody who is signed in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { signedIn, startBrowser } from './support/browser.ts';
import { startHost, type Host } from './support/host.ts';
import { startSite, type Site } from './support/site.ts';

let host: Host;
let browser: Browser;
let site: Site;

before(async () => {
  [host, browser, site] = await Promise.all([startHost(), startBrowser(), startSite()]);
});
after(async () => {
  await browser?.close();
  await host?.stop();
  await site?.stop();
});

for (const name of ['localhost', '127.0.0.1'] as const) {
  test(`a page at ${name} cannot show the dashboard in a frame to have somebody click in it`, async () => {
    const { page } = await signedIn(browser, host);
    const answer = page.waitForResponse((each) => each.url().endsWith('/settings/alerts/keys'));
    site.serve('/trap', `<iframe src="${host.url}/settings/alerts/keys"></iframe>`);
    await page.goto(site.at(name, '/trap'));
    const headers = await (await answer).allHeaders();
    assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'/);
    assert.equal(headers['x-frame-options'], 'DENY');
    const frame = page.frames()[1];
    await frame?.waitForURL(/^chrome-error:/);
    assert.equal(await page.frameLocator('iframe').locator('#root').count(), 0);
  });

  // To another port of the same machine the browser sends the cookie, so only the proof of the own page is between.
  test(`a page at ${name} cannot change anything with the person's cookie`, async () => {
    const { page } = await signedIn(browser, host);
    const body = JSON.stringify({ name: 'Forged', target_url: 'http://127.0.0.1:9/' });
    const headers = '{"x-exosphere-namespace": "payments", "content-type": "application/json"}';
    site.serve(
      '/forge',
      `<form id=form method=post enctype=text/plain action="${host.url}/v1/webhooks" target=answer>
         <input name='{"name": "Forged", "target_url": "http://127.0.0.1:9/", "headers": {"x": "' value='"}}'>
       </form><iframe name=answer></iframe>
       <script>
         const to = '${host.url}/v1/webhooks';
         const kinds = [
           { mode: 'no-cors', headers: { 'content-type': 'text/plain' } },
           { mode: 'cors', headers: ${headers} },
           { mode: 'cors', headers: { 'content-type': 'text/plain' } },
         ];
         const each = kinds.map((kind) =>
           fetch(to, { method: 'POST', credentials: 'include', body: '${body}', ...kind })
             .then(async (answer) => answer.type + (await answer.text()), () => 'refused'));
         const read = fetch('${host.url}/v1/session', { credentials: 'include' })
             .then((answer) => answer.text(), () => 'refused');
         window.outcome = Promise.all([...each, read]);
         form.submit();
       </script>`,
    );
    await page.goto(site.at(name, '/forge'));
    const outcome = await page.evaluate(
      () => (window as unknown as { outcome: Promise<string[]> }).outcome,
    );
    // What the browser lets out without asking is opaque; what it asks for first is not sent; and nothing is read.
    assert.deepEqual(outcome, ['opaque', 'refused', 'refused', 'refused']);
    await page.waitForLoadState('networkidle');
    const webhooks = await host.api('GET', '/v1/webhooks');
    assert.deepEqual(webhooks.body.data, []);
    const audit = await host.api('GET', '/v1/audit');
    assert.ok(!JSON.stringify(audit.body).includes('Forged'));
  });
}

test('a sign-in that another page sends is refused, so nobody is signed in as somebody else', async () => {
  const { page } = await signedIn(browser, host);
  const [before] = await page.context().cookies();
  site.serve(
    '/login',
    `<form id=form method=post enctype=text/plain action="${host.url}/v1/session">
       <input name='{"key": "${host.key}", "x' value='"}'></form><script>form.submit()</script>`,
  );
  // The dashboard's own question about its session may still be under way.
  const answered = page.waitForResponse(
    (each) => each.url() === `${host.url}/v1/session` && each.request().method() === 'POST',
  );
  await page.goto(site.at('127.0.0.1', '/login'));
  assert.ok((await answered).status() >= 400);
  const [after] = await page.context().cookies();
  assert.equal(after?.value, before?.value);
});
