import { describe, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { newest, run } from '../support/features/command.ts';
import { single, witnessed } from '../support/features/once.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

const SERVICE = ['overlap: false', 'data: [kept]'];
const HEALTH = '    health: { path: /health, interval: 100ms }\n';
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

  test('rolls out with others as a unit: last, without a canary, and the new ones ask the new one only', async () => {
    const web = (version: string): string =>
      app(
        version,
        `answer = (request, response) => {
  fetch(process.env.API)
    .then((reply) => reply.text())
    .then((said) => response.end('${version} ' + said), () => { response.statusCode = 502; response.end(); });
};`,
      );
    const canary = 'canary: [{ weight: 50, for: 1h }]';
    const shop = await folder({
      name: 'unit',
      service: SERVICE,
      services: `  web:\n    run: node web.js\n    routes: [/web]\n${HEALTH}    env: { API: "\${services.api.url}" }\n    rollout: { ${canary} }\n`,
      files: { 'main.js': single('v1'), 'web.js': web('v1') },
    });
    await run(system, shop.root, ['up']);
    const said = new Map<string, number>();
    let stopped = false;
    const asking = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!stopped) {
          const { status, body } = await visit(shop.port, '/web');
          said.set(`${status} ${body}`, (said.get(`${status} ${body}`) ?? 0) + 1);
        }
      }),
    );
    shop.write({ 'main.js': single('v2'), 'web.js': web('v2') });
    const deployed = await run(system, shop.root, ['deploy']);
    expect(deployed.stdout, told(deployed)).toContain('without a canary, since api cannot run twice');
    await waitFor(() => (said.get('200 v2 v2') ?? 0) > 10, { what: 'both new releases to answer' });
    stopped = true;
    await asking;
    // What the former web had asked when api was stopped is answered by the new api.
    expect([...said.keys()].filter((each) => !/^200 (v1 v1|v1 v2|v2 v2)$/.test(each))).toEqual([]);
    expect(witnessed(system, 'unit')).toEqual(['start v1', 'stop v1', 'start v2']);
  });
});
