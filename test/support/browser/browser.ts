import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

/** Debian's. */
const EXECUTABLE = '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
];

/** Why there are no browser tests here; null: there are. */
export const noBrowser = existsSync(EXECUTABLE) ? null : `${EXECUTABLE} is not installed`;
if (noBrowser !== null) console.warn(`left out: ${noBrowser}`);

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });

export const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

export interface Look {
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  /** Of somebody who has signed in before; absent: of a stranger. */
  cookies?: Exclude<BrowserContextOptions['storageState'], string | undefined>;
}

/**
 * A page of a browser of its own, closed with the test. Whatever its console complains about (the content security policy
 * refused something, an error nobody caught) fails the test; requests that were cut are no complaint.
 */
export async function openPage(
  browser: Browser,
  { viewport = DESK, colorScheme = 'light', cookies }: Look = {},
): Promise<Page> {
  const known = cookies === undefined ? {} : { storageState: cookies };
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', ...known });
  const complaints: string[] = [];
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !text.startsWith('Failed to load resource'))
      complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  return page;
}

/** By how many pixels one would have to scroll sideways. */
export const tooWide = (page: Page): Promise<number> =>
  page.evaluate<number>('Math.max(0, document.documentElement.scrollWidth - innerWidth)');
