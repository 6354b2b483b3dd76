import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { violations } from '../support/browser/axe.ts';
import { noBrowser } from '../support/browser/browser.ts';
import { type Screens, screens } from '../support/browser/screens.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();
let it: Screens;
let shop: Folder;

/** Rollouts that wait for somebody, by their environment. */
const waiting: Record<string, string> = {};

/** Asks the API as the page could, with the cookie of whoever is signed in on it. */
async function byHand(page: Page, path: string, data: object): Promise<{ status: number; code: string | null }> {
  const reply = await page.request.post(`${it.dashboard.origin}/api/v1${path}`, { data });
  const { code = null } = (await reply.json()) as { code?: string };
  return { status: reply.status(), code };
}

async function open(page: Page, environment: string): Promise<string> {
  const id = waiting[environment] ?? '';
  await page.goto(it.dashboard.link(`/rollouts/${id}`));
  await page.getByRole('list', { name: 'Phases' }).waitFor();
  return id;
}

/** Actions of the page in the bar of commands; those that everybody has left aside. */
async function offered(page: Page): Promise<string[]> {
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('this rollout');
  await page
    .getByText(/Nothing is called so|this rollout/)
    .first()
    .waitFor();
  const found = await page.getByRole('option').allInnerTexts();
  await page.keyboard.press('Escape');
  return found.map((text) => text.split('\n')[0] ?? '');
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

describe.skipIf(noBrowser !== null)('roles in the browser', () => {
  it = screens(system);

  beforeAll(async () => {
    shop = await folder();
    const ports = { staging: await freePort(), production: await freePort() };
    const environments = (more: string): string =>
      Object.entries(ports)
        .map(
          ([name, port]) => `  ${name}:
    port: ${port}
    bind: 127.0.0.1
    domain: localhost
${more}    rollout: { canary: [{ weight: 50, for: 20m }], analysis: { errorRate: "< 1%" }, rollbackWindow: 5m, drain: 1s }
`,
        )
        .join('');
    const configure = (more: string): void =>
      shop.write({
        'evenkeel.yaml': `project: shop
services:
  api: { run: node main.js, routes: [/], health: { path: /health, interval: 100ms } }
environments:
${environments(more)}`,
      });
    for (const environment of ['staging', 'production']) {
      configure('');
      shop.program(app('v1'));
      const first = await system.deploy(shop.root, { environment });
      await system.reach(first, ({ promotedAt }) => promotedAt !== null, 'the first promotion');
      configure('    approve: { people: 2 }\n');
      shop.program(app('v2'));
      const id = await system.deploy(shop.root, { environment });
      await system.reach(id, ({ phase }) => phase === 'canary', 'its canary');
      waiting[environment] = id;
    }
    const people = [
      { login: 'vera', grants: [{ role: 'viewer' }] },
      { login: 'olga', grants: [{ role: 'operator' }] },
      { login: 'abel', grants: [{ role: 'approver' }] },
      { login: 'stan', grants: [{ role: 'operator', environment: 'staging' }, { role: 'viewer' }] },
    ];
    for (const person of people) await system.post('/api/v1/organizations/default/people', person);
  }, 120_000);

  test('a viewer sees everything and no action; asked by hand it is refused with its reason', async () => {
    const page = await it.page({}, 'vera');
    const id = await open(page, 'production');
    await page.getByText('none of your roles steers or approves rollouts in production').waitFor();
    for (const name of ['Promote', 'Pause', 'Abort', 'Approve']) expect(await button(page, name).count()).toBe(0);
    expect(await offered(page)).toEqual([]);
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    for (const [path, data] of [
      [`/rollouts/${id}/requests`, { kind: 'abort' }],
      [`/rollouts/${id}/approvals`, { kind: 'approve' }],
      ['/organizations/default/people', { login: 'vera2' }],
      ['/server/stop', { instances: true }],
    ] as const)
      expect(await byHand(page, path, data)).toEqual({ status: 403, code: 'forbidden' });
    expect(await system.rollout(id)).toMatchObject({ end: null });
  });

  test('settings show to whom they are of use, and an address that is typed shows why not', async () => {
    const page = await it.page({}, 'vera');
    await page.goto(it.dashboard.link('/settings'));
    await page.waitForURL('**/settings/me');
    const nav = page.getByRole('navigation', { name: 'Settings' });
    await nav.waitFor();
    expect(await nav.getByRole('link').allInnerTexts()).toEqual(['Me', 'My tokens', 'People', 'Roles', 'API']);
    await page.goto(it.dashboard.link('/settings/people'));
    await page.getByText('olga').first().waitFor();
    for (const name of ['Invite', 'Grant', 'Remove']) expect(await button(page, name).count()).toBe(0);
    await page.goto(it.dashboard.link('/settings/server'));
    await page.getByRole('alert').getByText('forbidden').waitFor();
    await page.goto(it.dashboard.link('/audit'));
    await page.getByText('The audit is not for you to read').waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('whoever was granted nothing is told so, and not that there is nothing', async () => {
    await system.post('/api/v1/organizations/default/people', { login: 'nemo' });
    const page = await it.page({}, 'nemo');
    await page.goto(it.dashboard.link('/'));
    await page.getByText('There is nothing yet that you may see').waitFor();
    expect(await page.getByText('shop').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });

  test('an operator steers, and cannot approve', async () => {
    const page = await it.page({}, 'olga');
    const id = await open(page, 'production');
    await button(page, 'Abort').waitFor();
    expect(await button(page, 'Approve').count()).toBe(0);
    expect(await offered(page)).toContain('Abort this rollout');
    expect(await offered(page)).not.toContain('Approve this rollout');
    expect(await byHand(page, `/rollouts/${id}/approvals`, { kind: 'approve' })).toMatchObject({ status: 403 });
  });

  test('an approver approves, and cannot steer', async () => {
    const page = await it.page({}, 'abel');
    const id = await open(page, 'production');
    await button(page, 'Approve').waitFor();
    expect(await button(page, 'Abort').count()).toBe(0);
    expect(await byHand(page, `/rollouts/${id}/requests`, { kind: 'abort' })).toMatchObject({ status: 403 });
    await button(page, 'Approve').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Comment').fill('looked at it');
    await button(page, 'Approve').last().click();
    await dialog.waitFor({ state: 'detached' });
    await page
      .getByText(/Approved by .*abel.*: looked at it/)
      .first()
      .waitFor();
  });

  test('who operates staging alone sees production without actions', async () => {
    const page = await it.page({}, 'stan');
    await open(page, 'staging');
    await button(page, 'Abort').waitFor();
    const id = await open(page, 'production');
    await page.getByText('none of your roles steers or approves').waitFor();
    expect(await button(page, 'Abort').count()).toBe(0);
    expect(await byHand(page, `/rollouts/${id}/requests`, { kind: 'abort' })).toEqual({
      status: 403,
      code: 'forbidden',
    });
    expect(await byHand(page, `/rollouts/${waiting['staging']}/requests`, { kind: 'pause' })).toMatchObject({
      status: 200,
    });
  });

  test('once somebody is shut out, what they saw stays, and nothing can be done with it', async () => {
    const page = await it.page({}, 'stan');
    await open(page, 'staging');
    await button(page, 'Abort').waitFor();
    type Users = { users: { id: string; login: string }[] };
    const { users } = await system.get<Users>('/api/v1/users');
    const stan = users.find(({ login }) => login === 'stan');
    const admin = await it.page();
    const shut = await admin.request.put(it.dashboard.link(`/api/v1/users/${stan?.id}/disabled`), {
      data: { disabled: true },
    });
    expect(shut.status()).toBe(200);
    await page.getByText('You are not signed in any more').waitFor();
    expect(await page.getByRole('list', { name: 'Phases' }).count()).toBe(1);
    expect(await button(page, 'Abort').count()).toBe(0);
    expect(await page.getByText('none of your roles').count()).toBe(0);
    expect(await offered(page)).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });

  test('what was taken away meanwhile is refused with its reason, and not shown any more', async () => {
    const page = await it.page({}, 'olga');
    const id = await open(page, 'production');
    await button(page, 'Abort').click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    type People = { people: { user: { id: string; login: string }; grants: { id: string }[] }[] };
    const { people } = await system.get<People>('/api/v1/organizations/default/people');
    const olga = people.find(({ user }) => user.login === 'olga');
    const admin = await it.page();
    const taken = await admin.request.delete(
      it.dashboard.link(`/api/v1/organizations/default/people/${olga?.user.id}/grants/${olga?.grants[0]?.id}`),
    );
    expect(taken.status()).toBe(200);
    await dialog.getByRole('button', { name: 'Abort' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await system.rollout(id)).toMatchObject({ end: null });
    await page.keyboard.press('Escape');
    await button(page, 'Abort').waitFor({ state: 'detached' });
  });
});
