import { beforeAll, describe, expect, test } from 'vitest';
import { type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, PHONE, tooWide } from '../support/browser/browser.ts';
import { act, openRollout } from '../support/browser/rollouts.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

/** Begins a rollout; answers it once it waits for somebody. */
async function waiting(): Promise<string> {
  const id = await system.deploy(shop.root);
  await system.reach(id, ({ paused }) => paused?.reason === 'approval', 'its pause');
  return id;
}

describe.skipIf(noBrowser !== null)('an approval in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder({ environment: ['approve: { people: 1 }'] });
    // Who asks for a rollout does not approve it: somebody else is needed, who is known from now on.
    expect((await system.cli(['dashboard'], { cwd: shop.root, person: 'ben' })).code).toBe(0);
  });

  test('is given with a comment, and the rollout goes on', async () => {
    const id = await waiting();
    const page = await it.page({}, 'ben');
    await page.goto(it.dashboard.link());
    // Whoever looks at the overview sees that somebody is waited for.
    await page
      .getByRole('region', { name: 'Warnings' })
      .getByRole('link', { name: /waits for a person/ })
      .click();
    await page.waitForURL(`**/rollouts/${id}`);
    await page.getByText('paused: waits for approval').waitFor();
    await page.getByText('0 of 1 approvals').waitFor();
    expect(await violations(page)).toEqual([]);
    await act(page, 'Approve', 'seen by two of us');
    await page.getByText(/^Approved by .*: seen by two of us$/).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Watch, now' }).waitFor();
    expect((await system.rollout(id)).approvals.given).toMatchObject([{ comment: 'seen by two of us' }]);
  });

  test('is not offered to whoever asked for the rollout, who is told so', async () => {
    const id = await waiting();
    const page = await it.page();
    await openRollout(it, page, id);
    await page.getByText('You asked for this rollout: somebody else approves it.').waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    // Taking it back needs nobody else.
    await act(page, 'Reject', 'a typing mistake');
    await page.getByRole('heading', { name: /aborted/ }).waitFor();
  });

  test('is denied on a phone, with a comment, and the rollout is taken back', async () => {
    const id = await waiting();
    const page = await it.page({ viewport: PHONE, colorScheme: 'dark' }, 'ben');
    await openRollout(it, page, id);
    expect(await tooWide(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await act(page, 'Reject', 'not on a Friday');
    await page.getByRole('heading', { name: /aborted/ }).waitFor();
    await page.getByRole('region', { name: 'Story' }).getByText('not on a Friday').first().waitFor();
    expect(await system.rollout(id)).toMatchObject({ end: 'aborted', approvals: { given: [] } });
  });
});
