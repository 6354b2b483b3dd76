import type { Request } from 'playwright-core';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noBrowser } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

describe.skipIf(noBrowser !== null)('an overview that stays open', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder();
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'its promotion');
  });

  test('asks for nothing by the clock, and by one line hears of everything', async () => {
    const page = await it.page();
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(pathname.replace('/api/v1', ''));
    });
    await page.goto(it.dashboard.link());
    await page.getByRole('row', { name: /^api/ }).waitFor();
    const times = (path: string): number => asked.filter((each) => each === path).length;
    const before = times('/overview');
    // Statistics are taken every ten seconds, and it is told of them.
    await waitFor(() => times('/overview') >= before + 2, { what: 'two looks', timeout: 40_000, interval: 200 });
    expect([...new Set(asked)].toSorted()).toEqual(['/events', '/overview', '/session']);
    expect(times('/events')).toBe(1);
    // Once, when the line began, and when the sign-in was told of.
    expect(times('/session')).toBeLessThanOrEqual(4);
  });

  test('is told afterwards of what happened while the controller was away', async () => {
    const page = await it.page();
    const resumed: string[] = [];
    page.on('request', (request) => {
      const id = request.headers()['last-event-id'];
      if (id !== undefined) resumed.push(id);
    });
    await page.goto(it.dashboard.link());
    const row = page.getByRole('row', { name: /^api/ });
    await row.getByText('api@1').waitFor();
    onTestFinished(() => it.dashboard.cut(false));
    it.dashboard.cut(true);
    await page.getByText(/The controller has not answered for \d+ s/).waitFor();
    // What was seen last stays.
    expect(await row.getByText('api@1').count()).toBe(1);
    shop.program(app('v2'));
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'its promotion');
    it.dashboard.cut(false);
    await row.getByText('api@2').waitFor();
    await page.getByText('The controller has not answered').waitFor({ state: 'detached' });
    expect(resumed.length).toBeGreaterThan(0);
  });

  test('lets one go from page to page while the controller is away', async () => {
    const page = await it.page();
    const files: string[] = [];
    page.on('requestfinished', (request) => files.push(new URL(request.url()).pathname));
    await page.goto(it.dashboard.link());
    await page.getByRole('row', { name: /^api/ }).waitFor();
    // Of all pages, once there is nothing else to do.
    await waitFor(
      () =>
        ['RolloutList', 'Environments', 'ServerPage'].every((name) =>
          files.some((file) => file.startsWith(`/assets/${name}-`)),
        ),
      {
        what: 'the files of other pages',
      },
    );
    onTestFinished(() => it.dashboard.cut(false));
    it.dashboard.cut(true);
    await page.getByText(/The controller has not answered for \d+ s/).waitFor();
    await page.getByRole('link', { name: 'Environments', exact: true }).click();
    // What the overview has seen last is enough for it.
    await page.getByRole('heading', { name: 'shop has one environment, development' }).waitFor();
    await page.getByRole('link', { name: 'Rollouts', exact: true }).click();
    await page.getByRole('alert').getByText('unreachable').waitFor();
    await page.getByRole('link', { name: 'Overview', exact: true }).click();
    await page.getByRole('row', { name: /^api/ }).waitFor();
    await page.getByRole('link', { name: 'Rollouts', exact: true }).click();
    it.dashboard.cut(false);
    await page.getByRole('link', { name: /^api@/ }).first().waitFor();
  });

  test('says so when the controller is there and says nothing', async () => {
    const page = await it.page();
    await page.clock.install();
    // Taken, and never answered.
    await page.route('**/api/v1/events', () => new Promise(() => {}));
    await page.goto(it.dashboard.link());
    await page.getByRole('row', { name: /^api/ }).waitFor();
    await page.clock.fastForward(17_000);
    await page.clock.fastForward(2_000);
    await page.getByText('nothing has come from it, not even a sign of life').waitFor();
    await page.unroute('**/api/v1/events');
    await page.clock.fastForward(6_000);
    await page.getByText('The controller has not answered').waitFor({ state: 'detached' });
  });

  test('gives its line back while nobody looks at it, and takes it up again', async () => {
    const page = await it.page();
    const lines: Request[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/api/v1/events')) lines.push(request);
    });
    await page.clock.install();
    await page.goto(it.dashboard.link());
    await page.getByRole('row', { name: /^api/ }).waitFor();
    const look = (hidden: boolean): Promise<void> =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'));`,
      );
    const cut = page.waitForEvent('requestfailed', (request) => request === lines.at(-1));
    await look(true);
    await page.clock.fastForward(31_000);
    await cut;
    const lineCount = lines.length;
    await look(false);
    await waitFor(() => lines.length > lineCount, { what: 'another line' });
    expect(await lines.at(-1)?.headerValue('last-event-id')).not.toBeNull();
    await page.getByRole('row', { name: /^api/ }).waitFor();
  });
});
