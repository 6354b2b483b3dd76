import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { totpCode } from '../../src/platform/totp.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, openPage, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';
import { signIn, signInPath } from '../support/browser/sign-in.ts';
import { waitFor } from '../support/wait.ts';

const PASSWORD = 'correct horse battery';

const system = sharedSystem();
let it: Screens;

const atSignIn = (page: Page): Promise<void> => page.waitForURL((url) => url.pathname === '/sign-in');

async function give(page: Page, login: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Somebody new, with a password; answers a page on which they are signed in. */
async function withPassword(login: string): Promise<Page> {
  await system.post('/api/v1/organizations/default/people', { login, grants: [{ role: 'viewer' }] });
  const page = await openPage(it.browser);
  await signIn(page, system, it.dashboard, login);
  await page.goto(it.dashboard.link('/settings/me'));
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Choose password' }).click();
  await page.getByText('It is changed').waitFor();
  return page;
}

describe.skipIf(noBrowser !== null)('signing in in the browser', () => {
  it = screens(system);

  test.each([{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: PHONE }] as const)(
    'a stranger sees nothing, and learns how the first one gets in: $colorScheme',
    async (look) => {
      const page = await openPage(it.browser, look);
      await page.goto(it.dashboard.link('/rollouts'));
      await atSignIn(page);
      await page.getByText('evenkeel dashboard').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await tooWide(page)).toBe(0);
    },
  );

  test('one click on a link is enough, and nothing of the link stays in the address', async () => {
    const page = await openPage(it.browser);
    const path = await signInPath(system);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url().split('#')[0] ?? ''));
    await page.goto(it.dashboard.link(path));
    await page.getByText('Nothing has been deployed yet').waitFor();
    expect(page.url()).toBe(it.dashboard.link('/'));
    expect(await page.evaluate('history.length')).toBe(2);
    const secret = path.slice(path.indexOf('=') + 1);
    expect(asked.filter((url) => url.includes(secret))).toEqual([]);
    // No script has anything that lets somebody in.
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.evaluate('JSON.stringify([sessionStorage, localStorage])')).not.toContain('evenkeel');
  });

  test('who goes elsewhere while the page after it is still loading gets there', async () => {
    const page = await openPage(it.browser);
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => (go = resolve));
    await page.route('**/assets/Overview-*.js', async (route) => {
      await gone;
      await route.continue().catch(() => undefined);
    });
    await page.goto(it.dashboard.link(await signInPath(system)));
    await page.getByRole('link', { name: 'Settings of operator' }).click();
    go();
    await page.getByText('Where you are signed in').waitFor();
    expect(page.url()).toBe(it.dashboard.link('/settings/me'));
  });

  test('a link works once', async () => {
    const path = await signInPath(system);
    const page = await openPage(it.browser);
    await page.goto(it.dashboard.link(path));
    await page.waitForURL(it.dashboard.link('/'));
    const late = await openPage(it.browser);
    await late.goto(it.dashboard.link(path));
    await late.getByRole('alert').getByText('sign-in-refused').waitFor();
    expect(await violations(late)).toEqual([]);
    await late.getByRole('button', { name: 'Sign in in another way' }).click();
    await late.getByLabel('Password').waitFor();
  });

  test('a link makes nobody somebody else unseen', async () => {
    const page = await it.page();
    await system.post('/api/v1/organizations/default/people', { login: 'mallory' });
    await page.goto(it.dashboard.link(await signInPath(system, 'mallory')));
    await page.getByRole('heading', { name: 'You are signed in as operator' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stay operator' }).click();
    await page.waitForURL(it.dashboard.link('/'));
    await page.getByRole('link', { name: 'Settings of operator' }).waitFor();
  });

  test('a name and a password lead to where one wanted to go, by the keyboard alone', async () => {
    await withPassword('ann');
    const page = await openPage(it.browser, { viewport: PHONE });
    await page.goto(it.dashboard.link('/rollouts'));
    await atSignIn(page);
    await page.getByLabel('Name').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    await page.keyboard.type('Ann');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not her password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Name, password or code is wrong.').waitFor();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/rollouts');
    await page.getByRole('link', { name: 'Settings of ann' }).waitFor();
  });

  test('who tries too often sees how long to wait', async () => {
    await withPassword('tess');
    const page = await openPage(it.browser);
    await page.goto(it.dashboard.link('/sign-in'));
    const { origin } = it.dashboard;
    for (let n = 0; n < 7; n++)
      await page.request.post(`${origin}/api/v1/session`, { data: { login: 'tess', password: 'wrong' } });
    await give(page, 'tess', PASSWORD);
    await page.getByRole('alert').getByText('sign-in-limited').waitFor();
    await page.getByText(/You can try again in \d+ seconds?\./).waitFor();
    const button = page.getByRole('button', { name: 'Sign in', exact: true });
    expect(await button.isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    await waitFor(() => button.isEnabled(), { what: 'the wait to be over', timeout: 30_000 });
  });

  test('a second factor is set up by a picture, asked for from then on, and given up with a code', async () => {
    const page = await withPassword('kim');
    await page.getByRole('button', { name: 'Set up …' }).click();
    await page.getByRole('img', { name: 'For your authenticator app' }).waitFor();
    const secret = await page.getByRole('region', { name: 'Second factor' }).locator('code').innerText();
    expect(await violations(page)).toEqual([]);
    // A code counts once, and that of a moment ago still does.
    const code = (ago: number): string => totpCode(secret, Date.now() - ago);
    await page.getByLabel('Code of the app').fill(code(30_000));
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByText('On: signing in asks for a code').waitFor();

    const there = await openPage(it.browser);
    await there.goto(it.dashboard.link('/settings/tokens'));
    await give(there, 'kim', PASSWORD);
    await there.getByRole('heading', { name: 'One more step' }).waitFor();
    expect(await violations(there)).toEqual([]);
    // Half of the way in is not in.
    expect((await there.request.get(it.dashboard.link('/api/v1/status'))).status()).toBe(401);
    await there.getByLabel('Code').fill('000000');
    await there.keyboard.press('Enter');
    await there.getByRole('alert').waitFor();
    await there.getByLabel('Code').fill(code(0));
    await there.keyboard.press('Enter');
    await there.waitForURL('**/settings/tokens');
  });

  test('who signs out is out, also on the way back', async () => {
    const page = await withPassword('otto');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await atSignIn(page);
    await page.goBack();
    await atSignIn(page);
    expect((await page.request.get(it.dashboard.link('/api/v1/status'))).status()).toBe(401);
    // The session is over, and not only forgotten here; another one is begun by the bar of commands' users, too.
    await give(page, 'otto', PASSWORD);
    await page.getByRole('link', { name: 'Settings of otto' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('sign out');
    await page.keyboard.press('Enter');
    await atSignIn(page);
  });

  test('a session that is ended elsewhere is said to be over, and what was seen stays until one is back', async () => {
    const page = await withPassword('eve');
    const there = await openPage(it.browser);
    await there.goto(it.dashboard.link('/sign-in?next=/settings/people'));
    await give(there, 'eve', PASSWORD);
    await there.getByRole('heading', { name: 'People' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await page.getByRole('button', { name: 'End', exact: true }).waitFor({ state: 'detached' });
    // Nobody touches it; it follows what changes, and that ends.
    await there.getByText('You are not signed in any more').waitFor();
    expect(await there.getByRole('heading', { name: 'People' }).count()).toBe(1);
    expect(await violations(there)).toEqual([]);
    await there.getByRole('link', { name: 'Sign in again' }).click();
    await there.getByText('Your session has ended').waitFor();
    await give(there, 'eve', PASSWORD);
    await there.waitForURL('**/settings/people');
    await there.getByText('You are not signed in any more').waitFor({ state: 'detached' });
  });

  test.each([
    '//evil.example',
    'https://evil.example/',
    '/\\evil.example',
    '/%09/evil.example',
    '/.//evil.example',
    'javascript:alert(1)',
    '/sign-in/oidc/x',
    '/api/v1/audit/export',
  ])('an address that leads elsewhere leads to the overview: %s', async (next) => {
    const page = await openPage(it.browser);
    const left: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(it.dashboard.origin)) left.push(request.url());
    });
    const [path = '', link = ''] = (await signInPath(system)).split('#');
    await page.goto(it.dashboard.link(`${path}?next=${encodeURIComponent(decodeURIComponent(next))}#${link}`));
    await page.waitForURL(it.dashboard.link('/'));
    expect(left).toEqual([]);
  });
});
