/** axe in the page, by the rules of WCAG 2.2 AA. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = await readFile(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface Axe {
  run: (options: object) => Promise<{
    violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
  }>;
}

/** What axe finds wrong, each with the element and what to change. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger, so the policy does not mind; once for each document.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      resultTypes: ['violations'],
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary}`).join('; ')}`,
    );
  });
}

/** Waits until the page has what it asked for. */
export async function settled(page: Page) {
  await page.locator('main').first().waitFor();
  const busy = page.locator('[role="status"][aria-label="Loading"], [aria-busy="true"]');
  await busy.first().waitFor({ state: 'detached' });
}
