import { beforeAll, describe, expect, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
const HERE = '/projects/shop/environments/development/services/api';
let it: Screens;
let shop: Folder;

describe.skipIf(noBrowser !== null)('a service in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder();
    for (const version of ['v1', 'v2']) {
      shop.program(app(version, `console.log('${version} sings'); console.log('${version} dances');`));
      const id = await system.deploy(shop.root);
      await system.reach(id, ({ promotedAt }) => promotedAt !== null, `the promotion of ${version}`);
    }
  });
  test.each([{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: PHONE }] as const)(
    'shows instances, releases and logs to everybody: $colorScheme',
    async (look) => {
      const page = await it.page(look);
      await page.goto(it.dashboard.link(HERE));
      await page.getByRole('row', { name: /^api@2, .*serves/ }).waitFor();
      const logs = page.getByRole('log', { name: 'Logs of api' });
      await logs.getByText('v2 dances').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await tooWide(page)).toBe(0);
      await page.getByRole('searchbox').fill('v2 s.ngs');
      await page.keyboard.press('Enter');
      await logs.getByText('v2 dances').waitFor({ state: 'detached' });
      await logs.getByText('v2 sings').waitFor();
    },
  );

  test('shows how it went over time, with its releases, as far back as one likes', async () => {
    visitors(shop.port, { several: 2 });
    const page = await it.page();
    await page.goto(it.dashboard.link(HERE));
    const charts = page.getByRole('region', { name: 'Over time' });
    // New statistics are told of, and the curve is asked for again once a piece of it has passed.
    await charts.getByRole('img', { name: /^Requests: a second [\d.]+\/s at last/ }).waitFor({ timeout: 45_000 });
    await charts.getByRole('img', { name: /^Latency to the first byte: p50 .* ms at last/ }).waitFor();
    await charts.getByRole('link', { name: 'api@2' }).waitFor();
    await charts.getByRole('radio', { name: '30 d' }).check({ force: true });
    await charts.getByRole('radio', { name: '30 d', checked: true }).waitFor();
    await charts.getByRole('img', { name: /^Requests: a second [\d.]+\/s at last/ }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('tells what changed in a release', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link(HERE));
    const opener = page.getByRole('button', { name: 'api@2, what changed' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: /Against api@1 .*Files others Configuration the same/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByText('Against').waitFor({ state: 'detached' });
  });

  test('is taken back to a release that is kept, by one click and a word', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link(HERE));
    await page.getByRole('button', { name: 'Roll back to api@1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Comment').fill('v2 is off key');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/rollouts/r_*');
    await page.getByRole('region', { name: 'Story' }).getByText('v2 is off key').first().waitFor();
    const status = await system.status();
    expect(status.environments[0]?.services[0]).toMatchObject({ release: 'api@1' });
  });

  test('that there is not is said so', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link(HERE.replace('services/api', 'services/gone')));
    await page.getByText('There is no gone in development of shop').waitFor();
  });
});
