import { mkdirSync, writeFileSync } from 'node:fs';
import { type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, openBrowser, openPage, PHONE, tooWide } from '../support/browser/browser.ts';
import { freePort } from '../support/free-port.ts';
import { CLIENT, realProvider } from '../support/oidc/real-provider.ts';
import { openSystem, type System } from '../support/system.ts';
import { signInPath } from '../support/browser/sign-in.ts';
import { waitFor } from '../support/wait.ts';

/** What the provider asks of Bob. */
async function prove(page: Page): Promise<void> {
  await page.locator('input[name=login]').fill('bob');
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
  await page.locator('button[type=submit]').click();
}

describe.skipIf(noBrowser !== null)('signing in elsewhere, in a browser', { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await openBrowser()));
  afterAll(() => browser.close());

  /** The provider is another site than the dashboard: what the cookies may do depends on that. */
  async function open(): Promise<{ url: string; system: System }> {
    const system = openSystem();
    const url = `http://127.0.0.1:${await freePort()}`;
    const bob = { email: 'bob@example.com', email_verified: true };
    const provider = await realProvider({ bob }, [`${url}/sign-in/oidc/company/callback`], 'localhost');
    mkdirSync(system.paths.home, { mode: 0o700 });
    writeFileSync(
      system.paths.signIn,
      `publicUrl: ${url}
oidc:
  company:
    issuer: ${provider.url}
    clientId: ${CLIENT.id}
    clientSecret: { env: OIDC_SECRET }
    admits: { emails: ["bob@example.com"] }
`,
    );
    Object.assign(system.env, { EVENKEEL_DASHBOARD: new URL(url).port, OIDC_SECRET: CLIENT.secret });
    await system.start();
    await waitFor(async () => (await fetch(`${url}/livez`)).ok, { what: 'the dashboard' });
    return { url, system };
  }

  test('the session is there as soon as the dashboard asks, and is no thing that scripts or other sites have', async () => {
    const { url } = await open();
    const page = await openPage(browser);
    await page.goto(`${url}/sign-in/oidc/company`);
    expect(new URL(page.url()).hostname).toBe('localhost');
    await prove(page);
    await page.waitForURL((at) => at.origin === url);
    const session = `fetch('/api/v1/session').then((reply) => reply.json())`;
    expect(await page.evaluate(session)).toMatchObject({ state: 'signed-in', who: { name: 'bob@example.com' } });
    const cookies = await page.context().cookies(url);
    expect(cookies).toMatchObject([{ name: expect.stringMatching(/^evenkeel-/), sameSite: 'Strict', httpOnly: true }]);
  });

  test('one click leads there, and back to where one wanted to go', async () => {
    const { url } = await open();
    const page = await openPage(browser, { viewport: PHONE });
    await page.goto(`${url}/rollouts`);
    await page.getByRole('link', { name: 'Sign in with company' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    await page.getByRole('link', { name: 'Sign in with company' }).click();
    await prove(page);
    await page.waitForURL(`${url}/rollouts`);
    await page.getByRole('heading', { name: 'Rollouts' }).waitFor();
  });

  test('an account is linked and unlinked in the settings', async () => {
    const { url, system } = await open();
    const page = await openPage(browser);
    await page.goto(`${url}${await signInPath(system)}`);
    await page.getByRole('link', { name: 'Settings of operator' }).click();
    await page.getByRole('link', { name: 'Link my account' }).click();
    await prove(page);
    const accounts = page.getByRole('region', { name: 'Accounts elsewhere' });
    await accounts.getByText(/linked .* ago|linked just now/).waitFor();
    expect(await violations(page)).toEqual([]);
    await accounts.getByRole('button', { name: 'Unlink' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Unlink' }).click();
    // It is the only way in: there is no password.
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('New password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Choose password' }).click();
    await page.getByText('It is changed').waitFor();
    await accounts.getByRole('button', { name: 'Unlink' }).click();
    await dialog.getByRole('button', { name: 'Unlink' }).click();
    await accounts.getByRole('link', { name: 'Link my account' }).waitFor();
  });

  test.each(['light', 'dark'] as const)('who is refused reads why, %s and on a phone', async (colorScheme) => {
    const { url } = await open();
    for (const look of [{ colorScheme }, { colorScheme, viewport: PHONE }]) {
      const page = await openPage(browser, look);
      await page.goto(`${url}/sign-in/oidc/company/callback?code=a&state=b`);
      await page.getByRole('heading', { name: 'This sign-in has not begun in this browser' }).waitFor();
      // The style came, also under the policy.
      expect(await page.evaluate(`getComputedStyle(document.querySelector('main')).borderTopStyle`)).toBe('solid');
      expect(await tooWide(page)).toBe(0);
      expect(await violations(page)).toEqual([]);
      const shots = process.env['EVENKEEL_SHOTS'];
      if (shots !== undefined)
        await page.screenshot({
          path: `${shots}/refused-${colorScheme}-${look.viewport === undefined ? 'desk' : 'phone'}.png`,
        });
      await page.getByRole('link', { name: 'To the dashboard' }).click();
      await page.waitForURL(`${url}/sign-in`);
    }
  });
});
