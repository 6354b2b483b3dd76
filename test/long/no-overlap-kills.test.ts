import { describe, expect, test } from 'vitest';
import { folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { run } from '../support/features/command.ts';
import { single, witnessed } from '../support/features/once.ts';

const system = sharedSystem();

describe('a service that cannot run twice', () => {
  test('never runs twice, whenever the controller is killed', { timeout: 120_000 }, async () => {
    const shop = await folder({
      name: 'killed',
      service: ['overlap: false', 'data: [kept]'],
      files: { 'main.js': single('v0') },
    });
    await run(system, shop.root, ['up']);
    const rounds = 4;
    for (let round = 1; round <= rounds; round++) {
      shop.program(single(`v${round}`));
      const id = await system.deploy(shop.root);
      const { controller } = await system.keeperInfo();
      // Somewhere between the stop of the one and the promotion of the other, and before.
      await system.reach(id, ({ phase }) => phase === 'verifying' || phase === 'promoting', 'its switch');
      await new Promise((resolve) => setTimeout(resolve, (round - 1) * 300));
      process.kill(controller?.pid ?? Number.NaN, 'SIGKILL');
      await system.reach(id, ({ phase, end }) => phase === 'watching' || end !== null, 'its promotion');
      expect((await visit(shop.port)).version).toBe(`v${round}`);
    }
    const seen = witnessed(system, 'killed');
    expect(seen.filter((line) => line.startsWith('twice'))).toEqual([]);
    const once = Array.from({ length: rounds }, (_, index) => [`start v${index}`, `stop v${index}`]).flat();
    expect(seen).toEqual([...once, `start v${rounds}`]);
  });
});
