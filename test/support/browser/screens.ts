import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import type { System } from '../evenkeel-home.ts';
import { type Look, openBrowser, openPage } from './browser.ts';
import { type Dashboard, openDashboard } from './dashboard.ts';
import { signIn } from './sign-in.ts';

export interface Screens {
  readonly browser: Browser;
  readonly dashboard: Dashboard;
  /** A page of whoever has the machine, who is signed in; or of somebody else, by their sign-in name. */
  page(look?: Look, login?: string): Promise<Page>;
}

/** A browser and the dashboard of a system that it starts, for all tests of a `describe`; closed after the last of them. */
export function screens(system: System): Screens {
  let browser: Browser | null = null;
  let dashboard: Dashboard | null = null;
  const signedIn = new Map<string | undefined, NonNullable<Look['cookies']>>();
  beforeAll(async () => {
    browser = await openBrowser();
    await system.start();
    dashboard = await openDashboard(system);
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.close();
  });
  const there = <T>(value: T | null): T => {
    if (value === null) throw new Error('it is not open yet');
    return value;
  };
  return {
    get browser() {
      return there(browser);
    },
    get dashboard() {
      return there(dashboard);
    },
    async page(look, login) {
      const cookies = signedIn.get(login);
      const page = await openPage(there(browser), { ...look, ...(cookies === undefined ? {} : { cookies }) });
      if (cookies !== undefined) return page;
      await signIn(page, system, there(dashboard), login);
      signedIn.set(login, await page.context().storageState());
      return page;
    },
  };
}
