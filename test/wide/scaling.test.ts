import { describe, expect, test } from 'vitest';
import type { ScaleView } from '../../src/api/contract/scale.ts';
import { app, folder, type Folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { json, run, service } from '../support/features/command.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const slow = (version: string): string =>
  app(version, `answer = (request, response) => setTimeout(() => response.end('${version}'), 200);`);
const running = async (shop: Folder): Promise<number> =>
  (await service(system, shop.root, 'api')).instances.filter(({ state, healthy }) => state === 'running' && healthy)
    .length;
const scale = (shop: Folder): Promise<ScaleView> => json<ScaleView>(system, shop.root, ['scale', 'api']);

describe('instances', { timeout: 120_000 }, () => {
  test('follow the load, up and down again, and no request fails', async () => {
    const shop = await folder({
      name: 'elastic',
      service: ['instances: { min: 1, max: 3, concurrency: 3, cooldown: 2s }'],
      files: { 'main.js': slow('v1') },
    });
    await run(system, shop.root, ['up']);
    expect(await running(shop)).toBe(1);
    const load = visitors(shop.port, { several: 8 });
    await waitFor(async () => (await running(shop)) === 2, { what: 'a second instance', timeout: 40_000 });
    const grown = await scale(shop);
    expect(grown).toMatchObject({ bounds: { min: 1, max: 3 }, setBy: null });
    expect(grown.changes.at(-1)?.reason).toMatch(/requests in progress, 3 for each instance$/);
    const busy = await load.stop();
    await waitFor(async () => (await running(shop)) === 1, { what: 'one instance again', timeout: 60_000 });
    expect([...busy.statuses]).toEqual([[200, busy.total]]);
    expect((await scale(shop)).changes[0]?.reason).toMatch(/enough for a while/);
  });

  test('are as many as somebody asks for, over a deploy, until the file says something else', async () => {
    const shop = await folder({ name: 'byhand', files: { 'main.js': slow('v1') } });
    await run(system, shop.root, ['up']);
    const load = visitors(shop.port, { several: 3 });
    const said = await run(system, shop.root, ['scale', 'api', '2']);
    expect(said.stdout).toMatch(/api: 2 instances \(set by \S+; the file says 1\)/);
    await waitFor(async () => (await running(shop)) === 2, { what: 'two instances', timeout: 30_000 });
    shop.program(slow('v2'));
    await run(system, shop.root, ['deploy', 'api']);
    const { instances, release } = await service(system, shop.root, 'api');
    expect(instances.filter((each) => each.release === release)).toHaveLength(2);
    await run(system, shop.root, ['scale', 'api', '--reset']);
    const left = await waitFor(
      async () =>
        ((now) => (now.length === 1 ? now : null))(
          (await service(system, shop.root, 'api')).instances.filter((each) => each.release === release),
        ),
      { what: 'one instance', timeout: 40_000 },
    );
    expect(left[0]?.id).toMatch(/api@2\.0\.0$/);
    const { statuses, total } = await load.stop();
    expect([...statuses]).toEqual([[200, total]]);
    await run(system, shop.root, ['scale', 'api', '2']);
    shop.configure({ name: 'byhand', service: ['instances: 1', 'timeout: 30s'] });
    await run(system, shop.root, ['deploy', 'api']);
    expect((await scale(shop)).instances).toBe(2);
    shop.configure({ name: 'byhand', service: ['instances: 3'] });
    await run(system, shop.root, ['deploy', 'api']);
    expect(await scale(shop)).toMatchObject({ instances: 3, setBy: null });
    const wrong = await run(system, shop.root, ['scale', 'api', '3..2', '--json'], { code: 1 });
    expect(errorOf(wrong).what).toContain('above the second');
  });
});
