import { describe, expect, test } from 'vitest';
import { folder } from '../support/bad/app.ts';
import { sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { newest, run } from '../support/features/command.ts';
import { single, witnessed } from '../support/features/once.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

const SERVICE = ['overlap: false', 'data: [kept]'];
const FAST = 'health: { path: /health, interval: 100ms, grace: 100ms, deadline: 3s }';

describe('a service that cannot run twice', { timeout: 120_000 }, () => {
  test('is replaced while its requests wait, and none of them fails', async () => {
    const shop = await folder({ name: 'single', service: SERVICE, files: { 'main.js': single('v1') } });
    await run(system, shop.root, ['up']);
    const load = visitors(shop.port);
    await waitFor(() => load.seen.total > 20, { what: 'visitors' });
    shop.program(single('v2'));
    const deployed = await run(system, shop.root, ['deploy', 'api']);
    expect(deployed.stdout).toMatch(/api@1 stops so that api@2 can start, requests to api wait/);
    await waitFor(() => (load.seen.versions.get('v2') ?? 0) > 20, { what: 'the new release to answer' });
    const back = await run(system, shop.root, ['rollback', 'api']);
    expect(back.stdout, told(back)).toContain('api@1 has all traffic again');
    expect((await visit(shop.port)).version).toBe('v1');
    const { statuses, total } = await load.stop();
    expect([...statuses]).toEqual([[200, total]]);
    expect(witnessed(system, 'single')).toEqual(['start v1', 'stop v1', 'start v2', 'stop v2', 'start v1']);
    const { entries } = await newest(system, shop.root);
    const promoted = entries.find((each) => each.to === 'watching');
    const held = promoted?.detail['held'] as { api: { ms: number; waited: number; refused: number } };
    expect(promoted?.reason).toContain('api was held for');
    expect(held.api).toMatchObject({ refused: 0 });
    expect(held.api.waited).toBeGreaterThan(0);
    console.log(`held for ${held.api.ms} ms, ${held.api.waited} requests waited`);
  });

  test('is back, and no request has failed, when the new release does not become healthy', async () => {
    const shop = await folder({ name: 'sick', service: [...SERVICE, FAST], files: { 'main.js': single('v1') } });
    await run(system, shop.root, ['up']);
    const load = visitors(shop.port);
    shop.program(single('v2', `health = (request, response) => { response.statusCode = 500; response.end(); };`));
    const failed = await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    expect(failed.stdout, told(failed)).toContain('api@1 has all traffic');
    expect((await visit(shop.port)).version).toBe('v1');
    const { statuses, total } = await load.stop();
    expect([...statuses]).toEqual([[200, total]]);
    expect(witnessed(system, 'sick')).toEqual(['start v1', 'stop v1', 'start v2', 'stop v2', 'start v1']);
  });

  test('is migrated between the two, and its former release is back when that fails', async () => {
    const migrate = `require('node:fs').appendFileSync('kept/seen', 'migrate\\n'); process.exit(Number(process.env.CODE));`;
    const configured = (code: number) => ({
      name: 'migrated',
      service: [...SERVICE, 'migrate: node migrate.js', `env: { CODE: ${code} }`],
      files: { 'main.js': single('v1'), 'migrate.js': migrate },
    });
    const shop = await folder(configured(0));
    await run(system, shop.root, ['up']);
    shop.configure(configured(1));
    shop.program(single('v2'));
    await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    const first = ['migrate', 'start v1', 'stop v1', 'migrate'];
    await waitFor(() => witnessed(system, 'migrated').length > first.length, { what: 'the former release' });
    expect(witnessed(system, 'migrated')).toEqual([...first, 'start v1']);
    shop.configure(configured(0));
    await run(system, shop.root, ['deploy', 'api']);
    expect(witnessed(system, 'migrated')).toEqual([...first, 'start v1', 'stop v1', 'migrate', 'start v2']);
  });
});
