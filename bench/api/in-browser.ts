import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import type { System } from '../../test/support/evenkeel-home.ts';
import { waitFor } from '../../test/support/wait.ts';
import type { Bench } from '../report/row.ts';

/** Debian's. */
const EXECUTABLE = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];

export interface InBrowser {
  readonly origin: string;
  /** Signed in, and with nothing kept of an earlier visit. */
  visitor(): Promise<BrowserContext>;
}

/** A browser, and whoever has the machine signed in with it; null: there is none here. */
export async function inBrowser({ onEnd, say }: Bench, system: System): Promise<InBrowser | null> {
  if (!existsSync(EXECUTABLE)) {
    say(`${EXECUTABLE} is not installed: nothing is measured in a browser`);
    return null;
  }
  const browser: Browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  onEnd(() => browser.close());
  const door = await waitFor(async () => (await system.keeperInfo()).dashboard ?? null, { what: 'the dashboard' });
  const origin = `http://127.0.0.1:${door.port}`;
  const { path } = await system.post<{ path: string }>('/api/v1/sign-in-links', {});
  const first = await browser.newContext();
  const page = await first.newPage();
  await page.goto(`${origin}${path}`);
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  const storageState = await first.storageState();
  await first.close();
  return { origin, visitor: () => browser.newContext({ storageState }) };
}
