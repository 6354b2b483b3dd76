import type { Page } from 'playwright-core';
import { app, type Folder } from '../bad/app.ts';
import type { System } from '../evenkeel-home.ts';
import type { Screens } from './screens.ts';

/** Begins a rollout of another version; answers it once its canary has traffic. */
export async function canary(system: System, shop: Folder, version: string): Promise<string> {
  shop.program(app(version));
  const id = await system.deploy(shop.root);
  await system.reach(id, ({ phase }) => phase === 'canary', 'its canary');
  return id;
}

export async function openRollout({ dashboard }: Screens, page: Page, id: string): Promise<void> {
  await page.goto(dashboard.link(`/rollouts/${id}`));
  await page.getByRole('list', { name: 'Phases' }).waitFor();
}

/** Presses a button of the page, and confirms with a comment. */
export async function act(page: Page, name: string, comment: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Comment').fill(comment);
  await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}
