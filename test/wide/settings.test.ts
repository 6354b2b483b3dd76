import { beforeAll, describe, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser, openPage, PHONE, tooWide } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';

const system = sharedSystem();
let it: Screens;

const PAGES = [
  ['me', 'Where you are signed in'],
  ['tokens', 'You have no tokens'],
  ['people', 'runs the server'],
  ['roles', 'See status, rollouts and releases'],
  ['all-tokens', 'There are no tokens'],
  ['secrets', 'API_KEY'],
  ['organizations', 'Every user of this server'],
  ['server', 'EVENKEEL_AUDIT_DAYS'],
] as const;

describe.skipIf(noBrowser !== null)('settings in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    const shop = await folder();
    shop.program(app('v1'));
    const id = await system.deploy(shop.root);
    await system.reach(id, ({ promotedAt }) => promotedAt !== null, 'its promotion');
    await system.post('/api/v1/projects/shop/environments/development/secrets', { secrets: { API_KEY: 'a b c' } });
  });

  test.each([{ colorScheme: 'light' }, { colorScheme: 'dark', viewport: PHONE }] as const)(
    'can be read by everybody: $colorScheme',
    async (look) => {
      const page = await it.page(look);
      for (const [name, text] of PAGES) {
        await page.goto(it.dashboard.link(`/settings/${name}`));
        await page.getByText(text).first().waitFor();
        expect(await violations(page), name).toEqual([]);
        expect(await tooWide(page), name).toBe(0);
      }
    },
  );

  test('are reached by the keyboard alone, page by page and action by action', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link());
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const run = async (words: string, first: RegExp): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type(words);
      await page.getByRole('option', { selected: true }).filter({ hasText: first }).waitFor();
      await page.keyboard.press('Enter');
    };
    await run('settings people', /^People/);
    await page.waitForURL('**/settings/people');
    await page.getByRole('button', { name: 'Invite' }).waitFor();
    await run('invite', /^Invite a person/);
    const dialog = page.getByRole('dialog', { name: 'Invite a person' });
    await dialog.waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('a token is shown once, does what it was made for and no more, and nothing once it is revoked', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/tokens'));
    await page.getByRole('button', { name: 'Create token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('pipeline');
    await dialog.getByLabel('May do').selectOption('some');
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByText('It is shown this once.').waitFor();
    expect(await violations(page)).toEqual([]);
    const text = await dialog.getByLabel('Token', { exact: true }).innerText();
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByText(/Copied|It is selected/).waitFor();
    await dialog.getByRole('button', { name: 'I have it' }).click();
    await page.getByText('never used').waitFor();
    await page.reload();
    await page.getByText('pipeline').waitFor();
    expect(await page.content()).not.toContain(text);

    const ask = (path: string, method = 'GET'): Promise<number> =>
      fetch(it.dashboard.link(`/api/v1${path}`), {
        method,
        headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: JSON.stringify({ secrets: { A: 'b' } }) } : {}),
      }).then(({ status }) => status);
    expect(await ask('/status')).toBe(200);
    expect(await ask('/projects/shop/environments/development/secrets', 'POST')).toBe(403);
    await page.reload();
    await page.getByText(/used .* from 127.0.0.1/).waitFor();

    await page.getByRole('button', { name: 'Revoke' }).click();
    const confirm = page.getByRole('dialog');
    expect(await violations(page)).toEqual([]);
    await confirm.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('You have no tokens').waitFor();
    expect(await ask('/status')).toBe(401);
  });

  test('somebody is invited by a link, gets a role, loses it, and is removed', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/people'));
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Sign-in name').fill('nina@example.com');
    await dialog.getByLabel('Name', { exact: true }).fill('Nina Reed');
    await dialog.getByLabel('Role').selectOption('operator');
    await dialog.getByLabel('Environment').fill('staging');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    const link = await dialog.getByLabel('Link', { exact: true }).innerText();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Done' }).click();
    const nina = page.getByRole('listitem').filter({ hasText: 'Nina Reed' });
    await nina.getByText('operator in staging of all').waitFor();

    const there = await openPage(it.browser);
    await there.goto(link);
    await there.getByRole('link', { name: 'Settings of nina@example.com' }).waitFor();
    // Who has no password yet is told so, and led to where one is chosen.
    await there.getByRole('link', { name: 'Choose one' }).click();
    await there.getByLabel('New password').waitFor();

    await nina.getByRole('button', { name: 'Grant', exact: true }).click();
    await dialog.getByLabel('Role').selectOption('viewer');
    await dialog.getByRole('button', { name: 'Grant' }).click();
    await nina.getByText('viewer everywhere').waitFor();
    await nina.getByRole('button', { name: 'Take operator in staging of all from Nina Reed' }).click();
    await dialog.getByRole('button', { name: 'Take it' }).click();
    await nina.getByText('operator in staging').waitFor({ state: 'detached' });
    await nina.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await nina.waitFor({ state: 'detached' });
  });

  test('nobody removes the last who is in charge, and reads why', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/people'));
    const me = page.getByRole('listitem').filter({ hasText: 'runs the server' });
    await me.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('alert').waitFor();
    // Whoever reads why has the pointer on it yet, or not: the button moved.
    await dialog.getByRole('button', { name: 'Remove' }).hover();
    expect(await violations(page)).toEqual([]);
  });

  test('a role of an organization’s own is made, changed and removed', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/roles'));
    await page.getByRole('button', { name: 'Make a role' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('releaser');
    await dialog.getByLabel('Deploy', { exact: true }).check();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('columnheader', { name: /^releaser/ }).waitFor();
    const deploy = page.getByRole('row', { name: /^Deploy/ }).getByRole('cell');
    expect(await deploy.last().innerText()).toContain('yes');
    await page.getByRole('button', { name: 'Change releaser' }).click();
    await dialog.getByLabel('Deploy', { exact: true }).uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await deploy.last().getByText('–').waitFor();
    await page.getByRole('button', { name: 'Remove releaser' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('columnheader', { name: /^releaser/ }).waitFor({ state: 'detached' });
  });

  test('organizations are made and chosen between, and the address says which', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/organizations'));
    await page.getByRole('button', { name: 'Make an organization' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Second House');
    await dialog.getByRole('button', { name: 'Make' }).click();
    await page.getByText('Second House').first().waitFor();
    await page.goto(it.dashboard.link('/settings/people'));
    await page.getByLabel('Organization').selectOption('Second House');
    await page.getByText('Who is in Second House').waitFor();
    expect(new URL(page.url()).searchParams.get('organization')).toMatch(/^\S+$/);
    await page.reload();
    await page.getByText('Who is in Second House').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('secrets show their names and ages, and never a value', async () => {
    const page = await it.page();
    await page.goto(it.dashboard.link('/settings/secrets'));
    await page.getByRole('row', { name: /^API_KEY .* ago/ }).waitFor();
    expect(await page.content()).not.toContain('a b c');
  });
});
