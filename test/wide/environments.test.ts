import { beforeAll, describe, expect, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

async function deployTo(environment: string): Promise<void> {
  const id = await system.deploy(shop.root, { environment });
  await system.reach(id, ({ promotedAt }) => promotedAt !== null, `the promotion in ${environment}`);
}

describe.skipIf(noBrowser !== null)('environments side by side in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    const [staging, production] = [await freePort(), await freePort()];
    shop = await folder();
    shop.write({
      'evenkeel.yaml': `project: shop
services:
  api: { run: node main.js, routes: [/], health: { path: /health, interval: 100ms } }
environments:
  staging: { port: ${staging}, bind: 127.0.0.1, domain: localhost, services: { api: { env: { MODE: trial } } } }
  production:
    port: ${production}
    bind: 127.0.0.1
    domain: localhost
    rollout: { canary: [], rollbackWindow: 5m }
`,
    });
    shop.program(app('v1'));
    await deployTo('production');
    shop.program(app('v2'));
    await deployTo('staging');
  });

  test('differ in words that everybody can read', async () => {
    for (const look of [{}, { colorScheme: 'dark', viewport: PHONE }] as const) {
      const page = await it.page(look);
      await page.goto(it.dashboard.link('/environments'));
      const row = page.getByRole('row', { name: /^api (staging )?api@2/ });
      await row.getByText('other files').waitFor();
      await row.getByText('− env.MODE').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await tooWide(page)).toBe(0);
    }
  });

  test('are made alike by a promotion, with a comment, and nobody builds again', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/projects/shop/environments'));
    await page.getByText('production would get 1 service of staging: api.').waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('promote staging');
    await page.getByRole('option', { name: /^Promote staging to production/, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('api (api@1 → the files of api@2)').waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByLabel('Comment').fill('quiet all day');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/rollouts/r_*');
    await page.getByRole('region', { name: 'Story' }).getByText('quiet all day').first().waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Watch, now' }).waitFor();

    await page.getByRole('link', { name: 'Environments' }).click();
    // Who looks on is told of it.
    await page.getByText('production serves the same files as staging.').waitFor();
    expect(await page.getByRole('button', { name: /^Promote/ }).count()).toBe(0);
  });

  test('that there are not are said so', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/projects/nowhere/environments'));
    await page.getByText('There is no project nowhere').waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
