import { beforeAll, describe, expect, test } from 'vitest';
import { type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { act, canary, openRollout } from '../support/browser/rollouts.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

describe.skipIf(noBrowser !== null)('a rollout in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder({
      service: ['build: echo built with care'],
      rollout: ['canary: [{ weight: 50, for: 20m }]', 'analysis: { errorRate: "< 1%" }'],
    });
    const first = await system.deploy(shop.root);
    await system.reach(first, ({ promotedAt }) => promotedAt !== null, 'the first promotion');
  });
  test('is seen and steered through its whole life', async () => {
    const id = await canary(system, shop, 'v2');
    visitors(shop.port, { several: 2 });
    const page = await it.page();
    await openRollout(it, page, id);
    await page.getByRole('listitem').filter({ hasText: 'Canary, now' }).waitFor();
    await page.getByRole('img', { name: '50 % of sessions go to api@2' }).waitFor();
    await page.getByRole('log', { name: 'Output of Build' }).getByText('built with care').waitFor();
    // What visitors do is seen without asking again.
    await page.getByText(/^[1-9][\d,]*canary requests seen$/).waitFor();
    await page.getByRole('row', { name: /^errors/ }).waitFor();
    expect(await violations(page)).toEqual([]);

    await act(page, 'Pause', 'a look at the graphs');
    await page.getByText('paused: by a person').waitFor();
    await act(page, 'Resume', '');
    await act(page, 'Promote', 'looks well');
    await page.getByRole('listitem').filter({ hasText: 'Watch, now' }).waitFor();
    await page.getByRole('img', { name: '100 % of sessions go to api@2' }).waitFor();

    await act(page, 'Roll back', 'second thoughts');
    await page.getByRole('heading', { name: /rolled-back/ }).waitFor();
    const ended = await system.reach(id, ({ end }) => end !== null, 'its end');
    expect(ended).toMatchObject({ end: 'rolled-back', reason: expect.stringContaining('second thoughts') });

    // The address stays, and tells the story to whoever comes later.
    const later = await it.page({ colorScheme: 'dark' });
    await openRollout(it, later, id);
    const story = later.getByRole('region', { name: 'Story' });
    for (const said of ['a look at the graphs', 'looks well', 'second thoughts'])
      await story.getByText(said).first().waitFor();
    expect(await later.getByRole('button', { name: 'Abort' }).count()).toBe(0);
    expect(await violations(later)).toEqual([]);
  });

  test('is aborted on a phone', async () => {
    const id = await canary(system, shop, 'v3');
    const page = await it.page({ viewport: PHONE });
    await openRollout(it, page, id);
    await page.getByRole('listitem').filter({ hasText: 'Canary, now' }).waitFor();
    expect(await tooWide(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await act(page, 'Abort', 'not today');
    await page.getByRole('heading', { name: /aborted/ }).waitFor();
    expect(await system.rollout(id)).toMatchObject({ end: 'aborted' });
  });

  test('says when it was over before somebody else was heard', async () => {
    const id = await canary(system, shop, 'v4');
    const page = await it.page();
    await openRollout(it, page, id);
    await page.getByRole('button', { name: 'Abort' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    expect(await violations(page)).toEqual([]);
    await system.post(`/api/v1/rollouts/${id}/requests`, { kind: 'abort' });
    await system.reach(id, ({ end }) => end !== null, 'its end');
    await dialog.getByRole('button', { name: 'Abort' }).click();
    await dialog.getByRole('alert').getByText('rollout-over').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });
});
