import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { app, type FolderOptions, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { json, newest, run, service } from '../support/features/command.ts';
import { ask } from '../support/features/visitor.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const phase = (root: string, test: (rollout: RolloutView) => boolean, what: string): Promise<RolloutView> =>
  waitFor(
    async () => {
      const { rollout } = await newest(system, root);
      return test(rollout) ? rollout : null;
    },
    { what, timeout: 30_000, interval: 200 },
  );

describe('a rollout that people decide on', { timeout: 120_000 }, () => {
  test('waits for approval, and is promoted by it', async () => {
    const options: FolderOptions = { name: 'gated', environment: ['approve: { people: 1 }'] };
    const shop = await folder(options);
    const first = await run(system, shop.root, ['up'], { code: 3 });
    expect(first.stdout).toMatch(/1 approval is needed before it is promoted/);
    expect(first.stdout).toContain('evenkeel approve');
    expect(await visit(shop.port)).not.toMatchObject({ status: 200 });
    const own = await run(system, shop.root, ['approve'], { code: 3 });
    expect(own.stdout).toMatch(/somebody else has to/);
    await run(system, shop.root, ['approve', '--comment', 'the first one'], { person: 'ben' });
    await phase(shop.root, ({ phase: at }) => at === 'watching', 'the first promotion');

    const load = visitors(shop.port);
    shop.program(app('v2'));
    const deployed = await run(system, shop.root, ['deploy', 'api', '--json'], { code: 3 });
    expect(JSON.parse(deployed.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ outcome: 'paused', exit: 3 });
    expect(await visit(shop.port)).toMatchObject({ version: 'v1' });
    const promote = await run(system, shop.root, ['promote'], { code: 3 });
    expect(promote.stdout).toMatch(/Still paused.*1 approval is needed/s);
    expect(await visit(shop.port)).toMatchObject({ version: 'v1' });
    const approved = await json<RolloutView>(system, shop.root, ['approve', '--comment', 'tried it'], {
      person: 'ben',
    });
    expect(approved.approvals).toMatchObject({ needed: 1, given: [{ comment: 'tried it' }] });
    await phase(shop.root, ({ phase: at }) => at === 'watching', 'promotion');
    expect(await visit(shop.port)).toMatchObject({ version: 'v2' });
    const { entries } = await newest(system, shop.root);
    expect(entries.map((each) => each.reason).join('\n')).toMatch(/approved by .*tried it/);
    expect([...(await load.stop()).statuses.keys()]).toEqual([200]);
  });

  test('is taken back by a rejection', async () => {
    const shop = await folder({ name: 'rejected', environment: ['approve: { people: 1 }'] });
    await run(system, shop.root, ['up'], { code: 3 });
    await run(system, shop.root, ['approve'], { person: 'ben' });
    await phase(shop.root, ({ phase: at }) => at === 'watching', 'promotion');
    shop.program(app('v2'));
    const load = visitors(shop.port);
    await run(system, shop.root, ['deploy', 'api'], { code: 3 });
    await run(system, shop.root, ['reject', '--comment', 'not on a Friday']);
    const ended = await phase(shop.root, ({ end }) => end !== null, 'its end');
    expect(ended).toMatchObject({ end: 'aborted', reason: expect.stringContaining('not on a Friday') });
    expect(Object.fromEntries((await load.stop()).versions)).not.toHaveProperty('v2');
    const again = await run(system, shop.root, ['approve'], { code: 1 });
    expect(again.stderr).toMatch(/no rollout|over/);
  });

  test('can be held, continued and promoted in its canary', async () => {
    const shop = await folder({
      name: 'held',
      rollout: ['canary: [{ weight: 10, for: 1s }, { weight: 50, for: 5m }]'],
    });
    await run(system, shop.root, ['up']);
    shop.configure({ name: 'held', rollout: ['canary: [{ weight: 10, for: 2m }, { weight: 50, for: 5m }]'] });
    shop.program(app('v2'));
    await run(system, shop.root, ['deploy', 'api', '--wait', 'none']);
    await phase(shop.root, ({ phase: at }) => at === 'canary', 'the canary');
    await run(system, shop.root, ['pause', '--comment', 'let me look']);
    const paused = await phase(shop.root, (each) => each.paused !== null, 'the pause');
    expect(paused).toMatchObject({ phase: 'canary', paused: { reason: 'operator' }, canary: { weight: 10 } });
    expect(paused.paused?.detail).toContain('let me look');
    const watched = await run(system, shop.root, ['watch'], { code: 3 });
    expect(watched.stdout).toContain('evenkeel resume');
    await run(system, shop.root, ['resume']);
    expect(await phase(shop.root, (each) => each.paused === null, 'the end of the pause')).toMatchObject({
      phase: 'canary',
      canary: { weight: 10, step: 0 },
    });
    await run(system, shop.root, ['promote', 'api', '--comment', 'small fix']);
    await phase(shop.root, ({ phase: at }) => at === 'watching', 'promotion');
    expect(await visit(shop.port)).toMatchObject({ version: 'v2' });
  });
});

describe('smoke checks', { timeout: 120_000 }, () => {
  const smoke = ['smoke:', '  - { path: /version, status: 203, body: "sound" }', '  - { run: "node smoke.js" }'];
  const sound = (version: string, answer: string): string =>
    app(
      version,
      `answer = (request, response) => { if (request.url === '/version') response.statusCode = 203; response.end(request.url === '/version' ? '${answer}' : '${version}'); };`,
    );
  /** Asks the release on its own address: no other ever answers there. */
  const smokeJs = `
fetch(process.env.SMOKE_URL + '/').then((reply) => reply.text()).then((text) => {
  console.log('smoke saw ' + text + ' of ' + process.env.EVENKEEL_RELEASE);
  process.exit(text === 'v9' ? 5 : 0);
});`;

  test('let a release take traffic only when they pass', async () => {
    const shop = await folder({
      name: 'smoked',
      service: smoke,
      files: { 'main.js': sound('v1', 'quite sound'), 'smoke.js': smokeJs },
    });
    const up = await run(system, shop.root, ['up']);
    expect(up.stdout).toMatch(/smoke saw v1 of api@1/);
    const load = visitors(shop.port);

    shop.program(sound('v2', 'broken'));
    const wrongBody = await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    expect(wrongBody.stdout).toMatch(/smoke.* of api@2 failed: GET \/version: the body does not include "sound"/);

    shop.program(app('v3'));
    const wrongStatus = await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    expect(wrongStatus.stdout).toMatch(/GET \/version: status 200, expected 203/);

    shop.program(sound('v9', 'sound'));
    const wrongExit = await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    expect(wrongExit.stdout).toMatch(/smoke.* of api@4 failed: exit code 5/);
    expect(wrongExit.stdout).toMatch(/smoke saw v9 of api@4/);

    shop.program(sound('v5', 'sound'));
    await run(system, shop.root, ['deploy', 'api']);
    const { versions, statuses } = await load.stop();
    expect([...statuses.keys()]).toEqual([200]);
    expect([...versions.keys()].toSorted()).toEqual(['v1', 'v5']);
  });
});

describe('a failed release that is kept', { timeout: 120_000 }, () => {
  test('runs on without traffic until the next rollout', async () => {
    const shop = await folder({ name: 'kept', service: ['smoke: [/fine]'] });
    await run(system, shop.root, ['up']);
    shop.program(
      app(
        'v2',
        `answer = (request, response) => { response.statusCode = request.url === '/fine' ? 500 : 200; response.end('v2'); };`,
      ),
    );
    await run(system, shop.root, ['deploy', 'api', '--keep-failed'], { code: 2 });
    const load = visitors(shop.port);
    const kept = await waitFor(
      async () => {
        const api = await service(system, shop.root, 'api');
        return api.instances.find((each) => each.release === 'api@2') ?? null;
      },
      { what: 'the failed one to be shown' },
    );
    expect(kept).toMatchObject({ state: 'running' });
    // A look at it: it answers on its own port, and nobody else gets there.
    expect(await ask(kept.port ?? 0)).toMatchObject({ status: 200, body: 'v2' });
    shop.program(app('v3'));
    await run(system, shop.root, ['deploy', 'api']);
    await waitFor(
      async () => {
        const { instances } = await service(system, shop.root, 'api');
        return instances.every((each) => each.release !== 'api@2');
      },
      { what: 'the kept one to go', timeout: 20_000, interval: 200 },
    );
    const { versions, statuses } = await load.stop();
    expect([...versions.keys()].toSorted()).toEqual(['v1', 'v3']);
    expect([...statuses.keys()]).toEqual([200]);
  });
});
