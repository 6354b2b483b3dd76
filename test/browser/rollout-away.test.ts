import { beforeAll, describe, expect, test } from 'vitest';
import { type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser } from '../support/browser/browser.ts';
import { canary, openRollout } from '../support/browser/rollouts.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

describe.skipIf(noBrowser !== null)('a rollout that somebody looks at', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder({
      rollout: ['canary: [{ weight: 50, for: 20m }]', 'analysis: { errorRate: "< 1%" }'],
    });
    const first = await system.deploy(shop.root);
    await system.reach(first, ({ promotedAt }) => promotedAt !== null, 'the first promotion');
  });
  test('stays on the screen with its age while the controller is away, and goes on when it is back', async () => {
    const id = await canary(system, shop, 'v2');
    const page = await it.page();
    await openRollout(it, page, id);
    await page.getByRole('listitem').filter({ hasText: 'Canary, now' }).waitFor();
    it.dashboard.cut(true);
    await page.getByText(/The controller has not answered for \d+ s/).waitFor();
    await page.getByText(/What you see is as of \d\d:\d\d:\d\d, \d+ s ago/).waitFor();
    expect(await page.getByRole('img', { name: '50 % of sessions go to api@2' }).count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    await system.post(`/api/v1/rollouts/${id}/requests`, { kind: 'abort' });
    it.dashboard.cut(false);
    await page.getByRole('heading', { name: /aborted/ }).waitFor();
    await page.getByText('The controller has not answered').waitFor({ state: 'detached' });
  });

  test('is one of a list, which leads to it', async () => {
    const page = await it.page({ colorScheme: 'dark' });
    await page.goto(it.dashboard.link('/rollouts'));
    const link = page.getByRole('link', { name: /^api@2 .*aborted/ });
    await link.waitFor();
    expect(await violations(page)).toEqual([]);
    await link.click();
    await page.getByRole('heading', { name: /api@2/ }).waitFor();
  });

  test('that there is not is said so', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/rollouts/r_nothing'));
    await page.getByRole('alert').getByText('rollout-unknown').waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
