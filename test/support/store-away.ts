import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ActView } from '../../src/api/contract/audit.ts';
import type { JournalView } from '../../src/api/contract/rollouts.ts';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { app, type Folder, folder } from './bad/app.ts';
import { instancesOf } from './bad/processes.ts';
import { told } from './bad/shared-system.ts';
import { visit } from './bad/visitors.ts';
import type { System } from './system.ts';
import { waitFor } from './wait.ts';

/** A canary of v2 beside v1, or, promoted, v2 in its window. */
export async function underWay(system: System, promoted: boolean): Promise<Folder & { id: string }> {
  const shop = await folder();
  const up = await system.cli(['up'], { cwd: shop.root });
  expect(up.code, told(up)).toBe(0);
  shop.configure({ rollout: promoted ? [] : ['canary: [{ weight: 50, for: 1h }]'], window: '1h' });
  shop.program(app('v2'));
  const id = await system.deploy(shop.root);
  await system.reach(id, ({ phase }) => phase === (promoted ? 'watching' : 'canary'), 'its traffic');
  return { ...shop, id };
}

export async function killController(system: System): Promise<void> {
  const { controller } = await system.keeperInfo();
  process.kill(controller?.pid ?? Number.NaN, 'SIGKILL');
  await waitFor(
    async () => {
      const now = (await system.keeperInfo()).controller;
      return now !== null && now.pid !== controller?.pid;
    },
    { what: 'another controller', timeout: 30_000 },
  );
}

export const versions = async (port: number): Promise<Set<string>> =>
  new Set(await Promise.all(Array.from({ length: 20 }, async () => (await visit(port)).version)));

/** The store is back: what was asked for is written, and all that follows from it done. */
export async function reconciled(system: System, shop: Folder & { id: string }, end: string): Promise<void> {
  const ended = await system.reach(shop.id, ({ end: is, settled }) => is !== null && settled, 'its end');
  expect(ended.end).toBe(end);
  expect(ended.reason).toMatch(/^(aborted|rolled back) by \w+/);
  const { entries } = await system.get<{ entries: JournalView[] }>(`/api/v1/rollouts/${shop.id}/story`);
  expect(entries.filter(({ to }) => to === end)).toHaveLength(1);
  expect(instancesOf(system.paths.home, shop.project, 'api@2')).toEqual([]);
  expect(JSON.parse(readFileSync(system.paths.unwritten, 'utf8'))).toEqual([]);
  expect(await versions(shop.port)).toEqual(new Set(['v1']));
  // Who asked for it, and when, is told as if it had been there.
  const done = await waitFor(
    async () =>
      (await system.get<{ acts: ActView[] }>(`/api/v1/audit?result=done`)).acts.find(
        (act) => act.rollout === shop.id && act.operation !== 'deploy',
      ),
    { what: 'it to be in the audit', timeout: 30_000 },
  );
  expect(done).toMatchObject({ operation: expect.stringMatching(/^(steerRollout|rollback)$/), project: shop.project });
  expect(await system.get('/api/v1/audit/verification')).toMatchObject({ found: 0 });
}

/** Waits until a controller that has the store answers. */
export async function acts(system: System): Promise<void> {
  await waitFor(async () => (await system.get<StatusReply>('/api/v1/status')).server.standing?.acts, {
    what: 'a controller that acts',
    timeout: 60_000,
  });
}
