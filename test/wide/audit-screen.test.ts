import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;

/** More than are asked for at once. */
const MANY = 130;

const rows = (page: Page) => page.getByRole('region', { name: 'Table of acts' }).locator('tbody tr:not([data-gap])');

describe.skipIf(noBrowser !== null)('the audit in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    const shop = await folder();
    shop.program(app('v1'));
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'its promotion');
    const secrets = '/api/v1/projects/shop/environments/development/secrets';
    for (let n = 0; n < MANY; n++) await system.post(secrets, { secrets: { [`KEY_${n}`]: 'not to be seen' } });
    await system.post('/api/v1/organizations/default/people', { login: 'ida', grants: [{ role: 'viewer' }] });
  }, 120_000);

  test.each([{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: PHONE }] as const)(
    'can be read by everybody, to its begin: $colorScheme',
    async (look) => {
      const page = await it.page(look);
      await page.goto(it.dashboard.link('/audit'));
      await page.getByRole('link', { name: 'Invite person' }).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await tooWide(page)).toBe(0);
      // As far as one scrolls, and only what is in sight is drawn.
      await page.getByText('Older ones are coming').scrollIntoViewIfNeeded();
      await page.getByText('These are all.').scrollIntoViewIfNeeded();
      await page.getByRole('link', { name: 'Deploy', exact: true }).waitFor();
      expect(await rows(page).count()).toBeLessThan(MANY);
    },
  );

  test('is filtered by what the address says, and the address by the filter', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/audit'));
    await page.getByLabel('What').selectOption('Deploy');
    await page.getByText('These are all.').waitFor();
    expect(await rows(page).count()).toBe(1);
    expect(new URL(page.url()).search).toBe('?operation=deploy');
    await page.getByLabel('Who').fill('somebody else');
    await page.keyboard.press('Enter');
    await page.getByText('No act fits').waitFor();
    await page.reload();
    await page.getByText('No act fits').waitFor();
    expect(await page.getByLabel('Who').inputValue()).toBe('somebody else');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('link', { name: 'Invite person' }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    // Nobody else's project has any act.
    await page.goto(it.dashboard.link('/audit?project=123&result=refused'));
    await page.getByText('No act fits').waitFor();
    await page.goto(it.dashboard.link(`/audit?operation=deploy&to=${Date.now() - 3_600_000}`));
    await page.getByText('No act fits').waitFor();
  });

  test('opens an act with what was asked for and what is otherwise since, at an address that stays', async () => {
    const page = await it.page();
    const admin = page.request;
    const rename = (name: string) =>
      admin.put(it.dashboard.link('/api/v1/organizations/default'), { data: { name } }).then((reply) => reply.status());
    expect([await rename('First House'), await rename('Main House')]).toEqual([200, 200]);
    await page.goto(it.dashboard.link('/audit'));
    await page.getByRole('link', { name: 'Rename organization' }).first().click();
    const dialog = page.getByRole('dialog');
    const changed = dialog.getByRole('region', { name: 'What changed' });
    await changed.getByText('First House').waitFor();
    await changed.getByText('Main House').waitFor();
    expect(await violations(page)).toEqual([]);
    const address = page.url();
    expect(address).toMatch(/\?act=\d+$/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(page.url()).toBe(it.dashboard.link('/audit'));
    // Whoever gets the address sees the same, whatever else there was since.
    const later = await it.page({ viewport: PHONE });
    await later.goto(address.replace('?', '?operation=deploy&'));
    await later.getByRole('dialog').getByText('Main House').first().waitFor();
    await later.goto(it.dashboard.link('/audit?act=99999999'));
    await later.getByRole('alert').getByText('act-unknown').waitFor();
  });

  test('shows what happens as it happens', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/audit?operation=invitePerson'));
    await page.getByText('These are all.').waitFor();
    const before = await rows(page).count();
    // The first could be seen because the line has only just begun.
    for (const [index, login] of ['nils', 'nora', 'noel'].entries()) {
      await system.post('/api/v1/organizations/default/people', { login });
      await rows(page)
        .nth(before + index)
        .waitFor();
    }
  });

  test('is saved as a file of what fits', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/audit?operation=deploy'));
    for (const [name, first] of [
      ['Export NDJSON', /^\{.*"operation":"deploy"/],
      ['Export CSV', /^seq,at,/],
    ] as const) {
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
      expect(file.suggestedFilename()).toMatch(/^evenkeel-audit\.(ndjson|csv)$/);
      const text = await readFile(await file.path(), 'utf8');
      expect(text).toMatch(first);
      expect(text).not.toMatch(/setSecrets|not to be seen/);
    }
  });

  test('is looked through on request, and says that nothing is changed or missing', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/audit'));
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.getByText(/Whole: \d+ entries, none changed, none missing/).waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
