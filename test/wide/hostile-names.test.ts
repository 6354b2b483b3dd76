import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { act, canary, openRollout } from '../support/browser/rollouts.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

/** As long as a name of a person may be. */
const BAD = `<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>'"</title>`;
/** Sign-in names have no spaces. */
const LOGIN = `<svg/onload=globalThis.hacked=1>"'</title><script>globalThis.hacked=1</script>`;

const system = sharedSystem();
let it: Screens;
let shop: Folder;

/** It is there as text; nothing of it ran, and nothing of it became a part of the page. */
async function harmless(page: Page, text: string): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
  expect(await page.evaluate('globalThis.hacked')).toBeUndefined();
  expect(await page.locator('img, [onload], [onerror], script:not([src])').count()).toBe(0);
  expect(await tooWide(page)).toBe(0);
}

describe.skipIf(noBrowser !== null)('names that somebody bad has chosen', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder({ rollout: ['canary: [{ weight: 50, for: 20m }]', 'analysis: { errorRate: "< 1%" }'] });
    shop.program(app('v1'));
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'the first promotion');
    await system.post('/api/v1/organizations/default/people', { login: LOGIN, name: BAD, grants: [{ role: 'admin' }] });
  });

  test('are text: of people, in every list of them and in the head of their own page', async () => {
    const page = await it.page({ viewport: PHONE });
    for (const path of ['people', 'organizations']) {
      await page.goto(it.dashboard.link(`/settings/${path}`));
      await harmless(page, BAD.slice(0, 40));
    }
    const theirs = await it.page({ viewport: PHONE }, LOGIN);
    await theirs.goto(it.dashboard.link('/settings/me'));
    await harmless(theirs, BAD.slice(0, 40));
    await harmless(theirs, LOGIN.slice(0, 30));
  });

  test('are text: of tokens, organizations, and in the audit of it all', async () => {
    const page = await it.page({}, LOGIN);
    const made = await page.request.post(it.dashboard.link('/api/v1/tokens'), { data: { name: BAD } });
    expect(made.status()).toBe(200);
    await page.goto(it.dashboard.link('/settings/tokens'));
    await harmless(page, BAD.slice(0, 40));
    await page.goto(it.dashboard.link('/settings/all-tokens'));
    await harmless(page, BAD.slice(0, 40));
    const renamed = await page.request.put(it.dashboard.link('/api/v1/organizations/default'), {
      data: { name: BAD.slice(0, 80) },
    });
    expect(renamed.status()).toBe(200);
    await page.goto(it.dashboard.link('/settings/people'));
    await harmless(page, `Who is in ${BAD.slice(0, 40)}`);
    await page.goto(it.dashboard.link('/audit'));
    await harmless(page, LOGIN.slice(0, 30));
    await page.getByRole('link', { name: 'Rename organization' }).first().click();
    await harmless(page, BAD.slice(0, 40));
    // What is looked for comes back in the address and in the field.
    await page.goto(it.dashboard.link(`/audit?who=${encodeURIComponent(BAD)}&operation=${encodeURIComponent(BAD)}`));
    await page.getByText('No act fits').waitFor();
    expect(await page.evaluate('globalThis.hacked')).toBeUndefined();
  });

  test('are text: of who steers and what they say to it', async () => {
    const id = await canary(system, shop, 'v2');
    const page = await it.page({}, LOGIN);
    await openRollout(it, page, id);
    await act(page, 'Pause', BAD);
    await page.getByRole('region', { name: 'Story' }).getByText(BAD.slice(0, 40)).first().waitFor();
    await harmless(page, BAD.slice(0, 40));
  });

  test('are refused: of roles, projects and environments, which are words', async () => {
    const page = await it.page();
    const role = encodeURIComponent(BAD);
    const saved = await page.request.put(it.dashboard.link(`/api/v1/organizations/default/roles/${role}`), {
      data: { permissions: ['environment:read'] },
    });
    expect(saved.status()).toBe(400);
    await page.goto(it.dashboard.link('/settings/roles'));
    await page.getByRole('button', { name: 'Make a role' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill(BAD.slice(0, 40));
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').getByText('bad-request').waitFor();
    expect(await page.evaluate('globalThis.hacked')).toBeUndefined();
    // Whatever the API says: a role that is called so is text, too.
    await page.route('**/api/v1/organizations/*/roles', async (route) => {
      const answer = (await (await route.fetch()).json()) as { roles: object[] };
      await route.fulfill({
        json: { ...answer, roles: [...answer.roles, { name: BAD, builtIn: false, permissions: [], mayChange: true }] },
      });
    });
    await page.goto(it.dashboard.link('/settings/roles'));
    await harmless(page, BAD.slice(0, 40));
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });
});
