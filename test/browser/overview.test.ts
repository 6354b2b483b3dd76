import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Overview } from '../../src/api/contract/overview.ts';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

describe.skipIf(noBrowser !== null)('the overview', () => {
  it = screens(system);
  beforeAll(async () => {
    shop = await folder({ name: 'shop' });
  });

  test('says what to do while there is nothing to see', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link());
    await page.getByText('Nothing has been deployed yet').waitFor();
    expect(await page.getByText('evenkeel up').count()).toBe(1);
    expect(page.url()).not.toContain('token');
    expect(await violations(page)).toEqual([]);
  });

  test('shows what runs, as it changes', async () => {
    shop.program(app('v1'));
    const page = await it.page();
    await page.goto(it.dashboard.link());
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'its promotion');
    const row = page.getByRole('row', { name: /^api/ });
    await row.getByText('1 of 1 healthy').waitFor();
    await row.getByText('api@1').waitFor();
    await page.getByText('1 of 1', { exact: true }).waitFor();
  });

  test('exports what it shows, leads to logs and to its thresholds', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link());
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export data' }).click();
    const file = await (await download).path();
    const saved = JSON.parse(await readFile(file, 'utf8')) as Overview;
    expect(saved.services.map(({ service }) => service)).toEqual(['api']);
    await page.getByRole('button', { name: 'View logs' }).click();
    await page.getByRole('option', { name: /^Logs of api/ }).click();
    await page.waitForURL('**/services/api#logs');
    await page.getByRole('region', { name: 'Logs', exact: true }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'Configure alerts' }).click();
    await page.getByRole('row', { name: /^api .*1 %, critical 5 % 1 s, critical 2 s/ }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('draws of a thousand services those in sight, and reaches the last of them by the keyboard', async () => {
    const overview = await system.get<Overview>('/api/v1/overview');
    const [one] = overview.services;
    if (one === undefined) throw new Error('nothing serves');
    const services = Array.from({ length: 1_000 }, (_, index) => ({
      ...one,
      environment: `e${10 + (index % 50)}`,
      service: `s${String(index).padStart(4, '0')}`,
    }));
    const page = await it.page();
    await page.route('**/api/v1/overview*', (route) => route.fulfill({ json: { ...overview, services } }));
    await page.goto(it.dashboard.link());
    const table = page.getByRole('region', { name: 'Services', exact: true }).getByRole('table');
    await table.getByRole('row', { name: /^s0000 / }).waitFor();
    expect(await table.getAttribute('aria-rowcount')).toBe('1001');
    expect(await table.getByRole('row').count()).toBeLessThan(100);
    await page.keyboard.press('End');
    await table.getByRole('row', { name: /^s0999 / }).waitFor();
    expect(await table.getByRole('row').count()).toBeLessThan(100);
    expect(await tooWide(page)).toBe(0);
  });

  test('reaches a service by the keyboard alone', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link());
    await page.getByRole('row', { name: /^api/ }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('api shop');
    await page.getByRole('option', { selected: true }).filter({ hasText: /^api/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/projects/shop/environments/development/services/api');
  });

  test.each(['light', 'dark'] as const)(
    'can be read by everybody, %s, at a desk and on a phone',
    async (colorScheme) => {
      for (const viewport of [undefined, PHONE]) {
        const page = await it.page({ colorScheme, ...(viewport === undefined ? {} : { viewport }) });
        await page.goto(it.dashboard.link());
        await page.getByRole('row', { name: /^api/ }).waitFor();
        expect(await violations(page)).toEqual([]);
        expect(await tooWide(page)).toBe(0);
      }
    },
  );
});
