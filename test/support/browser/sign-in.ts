import type { Page } from 'playwright-core';
import type { System } from '../evenkeel-home.ts';
import type { Dashboard } from './dashboard.ts';

/** What the link on the screen of the machine opens: it signs in once. `login`: somebody else who is known already. */
export async function signInPath(system: System, login?: string): Promise<string> {
  const asked = login === undefined ? {} : { login };
  return (await system.post<{ path: string }>('/api/v1/sign-in-links', asked)).path;
}

/** Signs a page in as whoever has the machine, or as somebody else, as people do: by opening a link. */
export async function signIn(page: Page, system: System, dashboard: Dashboard, login?: string): Promise<void> {
  await page.goto(dashboard.link(await signInPath(system, login)));
  await page.waitForURL(dashboard.link('/'));
}
