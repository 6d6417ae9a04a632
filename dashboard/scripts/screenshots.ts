/**
 * Pictures of every page of a demo host, light and dark, wide and narrow, into the folder given as an argument.
 *
 *     ALERTS_URL=http://127.0.0.1:8080 ALERTS_KEY=exo_… npm run screenshots -- docs/images/dashboard
 *
 * `ONLY` names pictures, `SIZES` sizes, `COLOURS` colours; `FORMAT=png` is for programs that know no WebP.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { PICTURES, type Picture } from './pictures.ts';
import { NAMESPACE, setTheScene, type Scene } from './scene.ts';

const SIZES: Record<string, { width: number; height: number }> = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 375, height: 812 },
  huge: { width: 3840, height: 2160 },
};
/** Text stays sharp, and all pictures together stay below some megabytes. */
const WEBP_QUALITY = 88;
/** Highest picture, in CSS pixels: of what is longer the beginning is enough. */
const MAX_HEIGHT = 2600;

const [folder] = process.argv.slice(2);
const env = process.env;
const [host, apiKey] = [env.ALERTS_URL ?? 'http://127.0.0.1:8080', env.ALERTS_KEY];
if (!folder || !apiKey) throw new Error('usage: ALERTS_KEY=… npm run screenshots -- FOLDER');
const only = (env.ONLY ?? '').split(',').filter(Boolean);
const sizes = (env.SIZES ?? 'wide,narrow').split(',');
const schemes = (env.COLOURS ?? 'dark,light').split(',') as ('dark' | 'light')[];
const format = env.FORMAT === 'png' ? 'png' : 'webp';

async function settle(page: Page) {
  await page.waitForLoadState('load');
  // By its tag: behind an open dialog it has no role.
  await page.locator('main').waitFor();
  // Until nothing says that it is loading; the stream stays open, so the network is never idle.
  await page.waitForFunction(
    () => !document.querySelector('[role="status"][aria-label="Loading"], [aria-busy="true"]'),
    undefined,
    { timeout: 20_000 },
  );
  // Charts are drawn in the frame after their figures are there.
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
}

const address = (path: string) =>
  `${host}/settings/alerts${path}${path.includes('?') ? '&' : '?'}ns=${NAMESPACE}`;

/** By the browser's own protocol, which writes WebP as well. */
async function shoot(page: Page, name: string) {
  const session = await page.context().newCDPSession(page);
  const quality = format === 'webp' ? { quality: WEBP_QUALITY } : {};
  const { data } = await session.send('Page.captureScreenshot', { format, ...quality });
  await writeFile(join(folder as string, `${name}.${format}`), Buffer.from(data, 'base64'));
  await session.detach();
}

async function signIn(page: Page) {
  await page.getByLabel('API key').fill(apiKey as string);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Your key' }).waitFor();
}

async function take(page: Page, picture: Picture, scene: Scene, name: string) {
  const viewport = page.viewportSize();
  await page.goto(address(picture.path(scene)));
  await settle(page);
  await picture.prepare?.(page);
  await settle(page);
  if (!picture.isScreenful && viewport) {
    // As high as the page: what is fixed to the window's edge stays at the page's.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const whole = Math.min(Math.max(height, viewport.height), MAX_HEIGHT);
    await page.setViewportSize({ width: viewport.width, height: whole });
    await settle(page);
  }
  await shoot(page, name);
  if (viewport) await page.setViewportSize(viewport);
}

async function takeAll(browser: Browser, scene: Scene) {
  for (const size of sizes) {
    for (const colours of schemes) {
      const context = await browser.newContext({
        viewport: SIZES[size] ?? null,
        colorScheme: colours,
        reducedMotion: 'reduce',
        locale: 'en-GB',
        timezoneId: 'UTC',
      });
      const page = await context.newPage();
      await page.goto(address('/'));
      await page.getByLabel('API key').waitFor();
      if (only.length === 0 || only.includes('sign-in')) {
        await shoot(page, `sign-in-${colours}-${size}`);
      }
      await signIn(page);
      for (const picture of PICTURES) {
        if (only.length > 0 && !only.includes(picture.name)) continue;
        await take(page, picture, scene, `${picture.name}-${colours}-${size}`).catch((error) => {
          throw new Error(`${picture.name}, ${colours}, ${size}: ${String(error)}`);
        });
      }
      await context.close();
    }
  }
}

await mkdir(folder, { recursive: true });
const scene = await setTheScene({ host, key: apiKey });
const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
});
try {
  await takeAll(browser, scene);
} finally {
  await browser.close();
}
