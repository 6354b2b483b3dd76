import { staysHot } from '../../../src/domain/rollout/desired.ts';
import { decide } from '../../../src/domain/rollout/decide.ts';
import type { Observed } from '../../../src/domain/rollout/observed.ts';
import type { Rollout } from '../../../src/domain/rollout/rollout.ts';
import type { Decision } from '../../../src/domain/rollout/transition.ts';
import { deepFreeze } from './builders.ts';
import type { Action } from '../../../src/domain/rollout/observed.ts';
import { observe, perform, type World } from './world.ts';

/** Where the controller dies: the decision is lost, or written down and not acted upon. */
export type Crash = 'none' | 'before-persist' | 'after-persist';

export interface Step {
  before: Rollout;
  observed: Observed;
  decision: Decision;
  at: number;
  /** False when the controller died before it was written down. */
  persisted: boolean;
}

const MAX_TRANSITIONS = 30;

/** One look, as the engine does it: observe, decide, persist, act, until nothing changes. Answers what it went through. */
export function look(
  world: World,
  crash: Crash,
  seen: (world: World) => Observed = observe,
  act: (world: World, action: Action) => void = perform,
): Step[] {
  const steps: Step[] = [];
  for (let transition = 0; transition < MAX_TRANSITIONS; transition++) {
    const before = deepFreeze(world.rollout);
    const observed = deepFreeze(structuredClone(seen(world)));
    const decision = decide(before, observed, world.now);
    steps.push({ before, observed, decision, at: world.now, persisted: crash !== 'before-persist' });
    if (crash === 'before-persist') return steps;
    persist(world, before, decision);
    if (crash === 'after-persist') return steps;
    if (decision.journal.length === 0) {
      for (const action of decision.actions) act(world, action);
      return steps;
    }
  }
  throw new Error(`more than ${MAX_TRANSITIONS} transitions at one look: ${steps.at(-1)?.decision.reason}`);
}

function persist(world: World, before: Rollout, decision: Decision): void {
  const after = decision.next;
  world.rollout = { ...after, version: before.version + 1 };
  world.journal.push(...decision.journal);
  for (const each of after.services) {
    const deployment = world.deployments.find(({ service }) => service === each.service);
    if (deployment === undefined) continue;
    if (before.phase !== 'watching' && after.phase === 'watching') {
      deployment.current = each.to;
      deployment.former = staysHot(each) ? each.from : null;
    }
    if (before.end === null && after.end === 'rolled-back') deployment.current = each.from;
    if (before.end === null && (after.end !== null || after.phase === 'contracting')) deployment.former = null;
  }
}
