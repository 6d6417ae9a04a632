/** A real browser, and a person at it who is signed in. */
import assert from 'node:assert/strict';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Host } from './host.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A shared machine can be slow; a page that is right appears within this. */
export const PATIENCE_MS = 60_000;

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.ALERTS_CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
}

export interface Person {
  page: Page;
  context: BrowserContext;
  /** What the browser complained of: refused styles and scripts, errors. */
  complaints: string[];
  open: (path: string) => Promise<void>;
}

interface PersonOptions {
  key?: string;
  namespace?: string | null;
  width?: number;
  height?: number;
  colours?: 'light' | 'dark';
}

export async function signedIn(
  browser: Browser,
  host: Host,
  options: PersonOptions = {},
): Promise<Person> {
  const person = await visitor(browser, host, options);
  await person.page.getByLabel('API key').fill(options.key ?? host.key);
  await person.page.getByRole('button', { name: 'Sign in' }).click();
  await person.page.getByRole('button', { name: 'Your key' }).waitFor();
  return person;
}

/** Somebody who stands before the sign-in. */
export async function visitor(
  browser: Browser,
  host: Host,
  options: PersonOptions = {},
): Promise<Person> {
  const person = await stranger(browser, options);
  const isPlatform = !options.key;
  const namespace =
    options.namespace === undefined ? (isPlatform ? 'payments' : null) : options.namespace;
  const open = async (path: string) => {
    const query = namespace ? `${path.includes('?') ? '&' : '?'}ns=${namespace}` : '';
    await person.page.goto(`${host.url}/settings/alerts${path}${query}`);
  };
  await open('/');
  return { ...person, open };
}

/** Somebody with an empty browser. */
export async function stranger(
  browser: Browser,
  options: Pick<PersonOptions, 'width' | 'height' | 'colours'> = {},
): Promise<Omit<Person, 'open'>> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colours ?? 'dark',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  await tellRefusals(context, complaints);
  const page = await context.newPage();
  page.on('console', (message) => {
    // What the host refuses is shown to the person; the browser notes it too.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, context, complaints };
}

/** What the content security policy refused, as the page itself is told of it. */
async function tellRefusals(context: BrowserContext, complaints: string[]) {
  await context.exposeBinding('tellRefusal', (_, refusal: string) => complaints.push(refusal));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { tellRefusal } = window as unknown as { tellRefusal: (refusal: string) => void };
      tellRefusal(`refused by ${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
}

export function assertNoComplaints(person: Pick<Person, 'complaints'>) {
  assert.deepEqual(person.complaints, []);
}
