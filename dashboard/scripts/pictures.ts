/** What there is a picture of: the address of each page, and what is done there before it is taken. */
import type { Page } from 'playwright-core';
import type { Scene } from './scene.ts';

export interface Picture {
  name: string;
  /** Below `/settings/alerts`. */
  path: (scene: Scene) => string;
  /** Opens the dialog or the menu that is to be seen. */
  prepare?: (page: Page) => Promise<void>;
  /** Only what is first seen: a long list, or a dialog over the page. */
  isScreenful?: boolean;
}

async function writeCondition(page: Page, text: string) {
  await page.locator('[data-condition-editor]').getByRole('textbox').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

const at = (path: string) => () => path;

export const PICTURES: Picture[] = [
  { name: 'overview', path: at('/') },
  { name: 'webhooks', path: at('/webhooks') },
  {
    name: 'webhook-add',
    path: at('/webhooks?add=1'),
    isScreenful: true,
    prepare: async (page) => {
      await page.getByRole('radio', { name: /Slack/ }).check({ force: true });
      await page
        .getByLabel('Webhook URL')
        .fill('https://hooks.slack.com/services/T02NW4KQX/B0AONCALL/wQ8rT2yU');
    },
  },
  { name: 'webhook', path: ({ slack }) => `/webhooks/${slack}` },
  { name: 'webhook-failing', path: ({ partner }) => `/webhooks/${partner}` },
  { name: 'rules', path: at('/rules'), isScreenful: true },
  {
    name: 'rule-new',
    path: ({ slack }) => `/rules/new?endpoint=${slack}`,
    prepare: async (page) => {
      await page.locator('[data-backtest]').waitFor();
      await writeCondition(page, 'event.data.errored_count > 3');
      await page.locator('[data-sentence]').getByText('errored_count > 3').waitFor();
    },
  },
  {
    name: 'rule-error',
    path: ({ slack }) => `/rules/new?endpoint=${slack}`,
    prepare: async (page) => {
      await page.locator('[data-backtest]').waitFor();
      await writeCondition(page, 'event.data.errored_count > > 3');
      await page.locator('[data-diagnostic]').waitFor();
    },
  },
  { name: 'rule', path: ({ threshold }) => `/rules/${threshold}` },
  { name: 'rule-disabled', path: ({ disabled }) => `/rules/${disabled}` },
  { name: 'deliveries', path: at('/deliveries'), isScreenful: true },
  { name: 'delivery', path: ({ dead }) => `/deliveries/${dead}` },
  { name: 'delivery-waiting', path: ({ waiting }) => `/deliveries/${waiting}` },
  { name: 'dead-letters', path: at('/dead-letters'), isScreenful: true },
  { name: 'events', path: at('/events'), isScreenful: true },
  { name: 'event', path: ({ event }) => `/events/${event}` },
  { name: 'plugins', path: at('/plugins') },
  { name: 'plugin', path: at('/plugins/pagerduty') },
  { name: 'tenants', path: at('/tenants') },
  { name: 'hosts', path: at('/hosts') },
  { name: 'sources', path: at('/sources') },
  { name: 'keys', path: at('/keys') },
  { name: 'audit', path: at('/audit') },
  {
    name: 'help',
    path: at('/'),
    isScreenful: true,
    prepare: async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  },
];
