import { describe, expect, onTestFinished, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { newest, run } from '../support/features/command.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

const judged = (name: string, onInconclusive: string): Promise<Folder> =>
  folder({
    name,
    rollout: [
      'canary: [{ weight: 50, for: 1s }]',
      'analysis: { errorRate: "< 1%" }',
      `onInconclusive: ${onInconclusive}`,
    ],
  });

describe('a canary that nobody visits', () => {
  test('is not promoted: a person decides, and is told that nothing was seen', async () => {
    const shop = await judged('quiet', 'pause');
    await run(system, shop.root, ['up']);
    shop.program(app('v2'));
    const deployed = await run(system, shop.root, ['deploy', 'api'], { code: 3 });
    expect(told(deployed)).toContain('evenkeel promote');
    const { rollout } = await newest(system, shop.root);
    expect(rollout).toMatchObject({ phase: 'canary', end: null, promotedAt: null, paused: { reason: 'inconclusive' } });
    await run(system, shop.root, ['promote']);
    expect(await visit(shop.port)).toMatchObject({ version: 'v2' });
    // A person's word makes no verdict of it.
    const { entries } = await newest(system, shop.root);
    expect(entries.map(({ reason }) => reason).join('\n')).not.toMatch(/passed at/);
  });

  test('fails where the policy aborts what is inconclusive', async () => {
    const shop = await judged('strict', 'abort');
    await run(system, shop.root, ['up']);
    shop.program(app('v2'));
    await run(system, shop.root, ['deploy', 'api'], { code: 2 });
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });

  test('is taken back by itself while a person is waited for, once visitors find it bad', async () => {
    const shop = await judged('late', 'pause');
    await run(system, shop.root, ['up']);
    shop.program(app('v2', 'answer = (request, response) => { response.statusCode = 500; response.end("broken"); };'));
    await run(system, shop.root, ['deploy', 'api'], { code: 3 });
    const load = visitors(shop.port);
    onTestFinished(() => void load.stop());
    const ended = await waitFor(
      async () => {
        const { rollout } = await newest(system, shop.root);
        return rollout.end === null ? null : rollout;
      },
      { what: 'the end of the bad one', timeout: 60_000, interval: 200 },
    );
    await load.stop();
    expect(ended).toMatchObject({ end: 'failed', promotedAt: null });
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });
});
