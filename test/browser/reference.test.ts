import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../src/api/contract/operations.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, openBrowser, openPage, PHONE, tooWide } from '../support/browser/browser.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';

const COUNT = Object.keys(operations).length;

describe.skipIf(noBrowser !== null)('the reference of the API', () => {
  let it: WebWorld;
  let browser: Browser;
  beforeAll(async () => {
    it = await openWebWorld({ dashboard: join(import.meta.dirname, '../../dist/web') });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await it.close();
  });

  const at = (path: string): string => `http://127.0.0.1:${it.port}${path}`;
  const lines = (page: Page) => page.locator('[data-operation]');

  test.each([
    { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { colorScheme: 'dark', viewport: PHONE },
  ] as const)('is read by anybody, on $viewport.width px, $colorScheme', async (look) => {
    const page = await openPage(browser, look);
    await page.goto(at('/reference#deploy'));
    await page.getByRole('heading', { name: 'API', level: 1 }).waitFor();
    expect(await lines(page).count()).toBe(COUNT);
    const deploy = page.locator('#deploy');
    await deploy.getByText('Needs the permission environment:deploy').waitFor();
    for (const text of ['definition', 'allowBreakingMigrations', 'idempotency-key'])
      await deploy.getByText(text, { exact: true }).first().waitFor();
    expect(await deploy.locator('pre').innerText()).toContain('Authorization: Bearer $EVENKEEL_TOKEN');
    expect(await violations(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    const shots = process.env['EVENKEEL_SHOTS'];
    if (shots !== undefined) await page.screenshot({ path: join(shots, `reference-${look.viewport.width}.png`) });
  });

  test('is searched and walked through by keyboard', async () => {
    const page = await openPage(browser);
    await page.goto(at('/reference'));
    await lines(page).first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('rollout:approve');
    await expect.poll(() => lines(page).count()).toBe(1);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Needs the permission rollout:approve').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('no such thing');
    await page.getByText('No operation fits').waitFor();
  });

  test('has an example for every operation that the server understands', async () => {
    const page = await openPage(browser);
    await page.goto(at('/reference'));
    await lines(page).first().waitFor();
    // All at once: what is opened is drawn then.
    await page.evaluate<unknown>(`for (const each of document.querySelectorAll('[data-operation]')) each.click()`);
    await expect.poll(() => page.locator('pre').count()).toBe(COUNT);
    const examples = await page.locator('pre').allInnerTexts();
    const refused: string[] = [];
    for (const example of examples) {
      const [, method = 'GET'] = /--request (\w+)/.exec(example) ?? [];
      const [, url = ''] = /'(http[^']+)'/.exec(example) ?? [];
      const [, body] = /--data '([\s\S]+)'$/.exec(example) ?? [];
      // The document itself stands for what a project is, and is not made up here.
      if (/\/(events|logs|server\/stop)$/.test(url) || body?.includes('definition') === true) continue;
      const path = url.slice(url.indexOf('/api/'));
      const { status, body: said } = await it.client.reply({
        method: method as 'GET',
        path,
        ...(body === undefined ? {} : { body: JSON.parse(body) as object }),
      });
      const code = (said as { code?: string }).code ?? '';
      if (status >= 500 || code === 'bad-request') refused.push(`${method} ${path}: ${JSON.stringify(said)}`);
    }
    expect(refused).toEqual([]);
  });

  test('is found from the command bar by whoever is signed in', async () => {
    const page = await openPage(browser);
    const link = await it.link();
    await page.goto(at(`/sign-in#link=${link}`));
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('API');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname === '/reference');
    await lines(page).first().waitFor();
    await page
      .getByRole('navigation', { name: 'Groups' })
      .getByRole('link', { name: /People/ })
      .click();
    await expect.poll(() => page.evaluate<string>('location.hash')).toBe('#group-people');
  });
});
