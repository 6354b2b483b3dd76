import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { ask } from '../../src/engine/emergency/ask.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, service, type World } from '../support/engine/world.ts';

let world: World;
beforeEach(async () => (world = await openWorld()));
afterEach(() => world.close());

const { ship, reach, promoted, read } = shipping(() => world);

const letPass = async (rollout: Rollout): Promise<void> => {
  await reach(rollout, ({ paused }) => paused?.reason === 'approval', 'the pause');
  await ask(world.engine, rollout, { kind: 'approve', by: 'ben', human: 'person:ben', comment: null, force: false });
  await promoted(rollout);
};

test('whoever may deploy does not do without approvals by asking for fewer: that counts once it was approved', async () => {
  await world.engine.start();
  const gated = { approve: { people: 1 } };
  await letPass(await ship([service('api')], gated));
  const loosened = await ship([service('api')], { approve: { people: 0 } });
  expect(loosened.approvalsNeeded).toBe(1);
  expect(loosened.reason).toMatch(/still 1 to approve, none is needed once this is promoted$/);
  // Given up and tried again, it is as before.
  await ask(world.engine, loosened, { kind: 'abort', by: 'ann', comment: null, force: false });
  await reach(await read(loosened), ({ end, settled }) => end === 'aborted' && settled, 'its end');
  const again = await ship([service('api')], { approve: { people: 0 } });
  expect(again.approvalsNeeded).toBe(1);
  await letPass(again);
  expect((await ship([service('api')], { approve: { people: 0 } })).approvalsNeeded).toBe(0);
});
