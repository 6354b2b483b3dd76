import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import type { RolloutPolicy } from '../../src/domain/project/project.ts';
import { mustGiveWay } from '../../src/domain/rollout/giving-way.ts';
import type { Action, Observed, ReleaseObservation, ServiceObserved, Work } from '../../src/domain/rollout/observed.ts';
import type { RequestKind, Rollout } from '../../src/domain/rollout/rollout.ts';
import { aPart, aPolicy, aRollout, hour, minute, second } from '../support/rollout/builders.ts';
import { type Crash, look, type Step } from '../support/rollout/look.ts';
import { checkDecision, checkDesired, checkProgress, checkRaise, checkStory } from '../support/rollout/rules.ts';
import {
  applyToEdge,
  askThroughEdge,
  convergeInstances,
  endJobs,
  newWorld,
  observe,
  perform,
  traffic,
  type World,
} from '../support/rollout/world.ts';

/** More with ROLLOUT_HISTORIES=20000; a failure prints its seed, which ROLLOUT_SEED repeats. */
const runs = Number(process.env['ROLLOUT_HISTORIES'] ?? 250);
const seed = process.env['ROLLOUT_SEED'];
const timeout = 60_000 + runs * 200;
const parameters = { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) };

const chance = (percent: number): fc.Arbitrary<boolean> =>
  fc.oneof({ weight: percent, arbitrary: fc.constant(true) }, { weight: 100 - percent, arbitrary: fc.constant(false) });
const often = chance(90);
const rarely = chance(12);

const policy: fc.Arbitrary<RolloutPolicy> = fc
  .record({
    canary: fc
      .uniqueArray(
        fc.record({ weight: fc.integer({ min: 1, max: 100 }), forMs: fc.integer({ min: second, max: 10 * minute }) }),
        { minLength: 0, maxLength: 3, size: 'max', selector: (each) => each.weight },
      )
      .map((steps) => steps.toSorted((a, b) => a.weight - b.weight)),
    onInconclusive: fc.constantFrom('pause' as const, 'promote' as const, 'abort' as const),
    rollbackWindowMs: fc.constantFrom(0, 30 * second, hour),
    holdback: fc.constantFrom(0, 0, 1, 5),
    keepFailed: rarely,
    deadlines: fc.record({
      buildingMs: fc.integer({ min: minute, max: 20 * minute }),
      startingMs: fc.integer({ min: minute, max: 20 * minute }),
      migratingMs: fc.integer({ min: minute, max: 20 * minute }),
      verifyingMs: fc.integer({ min: minute, max: 20 * minute }),
      promotingMs: fc.integer({ min: minute, max: 20 * minute }),
    }),
    pauseMs: fc.constantFrom(hour, 24 * hour),
  })
  .map(aPolicy);

const NAMES = ['db', 'api', 'web', 'mail'];
const parts = fc
  .array(
    fc.record({
      kind: fc.constantFrom('http' as const, 'http' as const, 'static' as const, 'worker' as const),
      first: rarely,
      after: fc.subarray(NAMES),
      builds: often,
      migrates: rarely,
      smokes: rarely,
      checks: rarely,
      alone: rarely,
      contracts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4, size: 'max' },
  )
  .map((all) =>
    all.map(({ first, after, alone, ...each }, index) => {
      const name = NAMES[index] ?? '';
      const earlier = NAMES.slice(0, index);
      return aPart(name, {
        ...each,
        from: first ? null : `${name}@1`,
        ...(alone && each.kind !== 'static' ? { alone: true as const } : {}),
        // Mostly no dependencies, and never on what comes later.
        after: after.length > 1 ? [] : after.filter((other) => earlier.includes(other)),
      });
    }),
  );

const rollout: fc.Arbitrary<Rollout> = fc
  .record({
    services: parts,
    policy,
    approvalsNeeded: fc.constantFrom(0, 0, 1, 2),
    kind: fc.constantFrom('deploy' as const, 'deploy' as const, 'deploy' as const, 'rollback' as const),
  })
  .map((over) => {
    // As a rollout begins: the way back has no canary, and neither has what cannot run twice.
    const plain = { ...over.policy, canary: [] };
    if (over.services.some(mustGiveWay)) return aRollout({ ...over, policy: { ...plain, holdback: 0 } });
    return aRollout(over.kind === 'rollback' ? { ...over, policy: plain } : over);
  });

const ways = (kinds: RequestKind[]) =>
  fc.record({
    kind: fc.constant('request' as const),
    request: fc.record({ kind: fc.constantFrom(...kinds), by: fc.constantFrom('ann', 'ben', 'cem'), force: rarely }),
  });
const crash = fc.constantFrom<Crash>('none', 'none', 'none', 'none', 'before-persist', 'after-persist');

/** What happens between two looks. */
type Beat =
  /** `far`: time goes on until the rollout wants to be woken, where that is what it waits for anyway. */
  | {
      kind: 'look';
      ms: number;
      far: boolean;
      crash: Crash;
      jobs: boolean;
      instances: boolean;
      edge: boolean;
      answer: boolean;
      good: number;
    }
  | { kind: 'jobs'; state: 'done' | 'failed' | 'unknown' }
  | { kind: 'request'; request: { kind: RequestKind; by: string; force: boolean } }
  | { kind: 'clock'; ms: number }
  | { kind: 'health'; pick: number; sick: boolean; running: number }
  | { kind: 'failure'; pick: number }
  | { kind: 'edge'; up: boolean }
  | { kind: 'bad'; requests: number; canary: number; baseline: number }
  | { kind: 'superseded' }
  | { kind: 'busy'; busy: boolean };

const beat: fc.Arbitrary<Beat> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({
      kind: fc.constant('look' as const),
      ms: fc.integer({ min: 0, max: 5 * second }),
      far: often,
      crash,
      jobs: often,
      instances: often,
      edge: often,
      answer: often,
      good: fc.constantFrom(0, 10, 20_000, 200_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('jobs' as const),
      state: fc.constantFrom('failed' as const, 'unknown' as const, 'unknown' as const, 'unknown' as const),
    }),
  },
  { weight: 6, arbitrary: ways(['approve', 'approve', 'approve', 'resume', 'resume', 'promote', 'pause']) },
  { weight: 2, arbitrary: ways(['abort', 'rollback', 'reject', 'supersede']) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      ms: fc.oneof(
        { weight: 2, arbitrary: fc.integer({ min: -minute, max: minute }) },
        { weight: 1, arbitrary: fc.integer({ min: -30 * hour, max: 0 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 * hour }) },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('health' as const),
      pick: fc.nat(7),
      sick: fc.boolean(),
      running: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edge' as const), up: often }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('bad' as const),
      requests: fc.nat(5000),
      canary: fc.constantFrom(0, 0.01, 0.3),
      baseline: fc.constantFrom(0, 0.01),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('failure' as const), pick: fc.nat(7) }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'superseded' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('busy' as const), busy: fc.boolean() }) },
    ),
  },
);
const beats = fc.array(beat, { minLength: 5, maxLength: 60, size: 'max' });

const FAIR: Beat = {
  kind: 'look',
  ms: 1,
  far: false,
  crash: 'none',
  jobs: true,
  instances: true,
  edge: true,
  answer: true,
  good: 200_000,
};

/** What noise makes a rollout ask for cannot be held against it; what it decides can. */
function unchecked(world: World, action: Action): void {
  try {
    perform(world, action);
  } catch {
    // Begun twice, because it was said to be absent.
  }
}

function play(world: World, each: Beat, saw: (world: World) => Observed = observe, act = perform): Step[] {
  const ids = Object.keys(world.releases);
  switch (each.kind) {
    case 'look': {
      world.now += each.ms;
      if (each.far && ['canary', 'watching'].includes(world.rollout.phase))
        world.now = Math.max(world.now, look(structuredClone(world), 'none').at(-1)?.decision.wakeAt ?? 0);
      if (each.jobs) endJobs(world, 'done');
      if (each.instances) convergeInstances(world);
      if (each.edge) applyToEdge(world);
      if (each.answer) askThroughEdge(world);
      traffic(world, each.good, { canary: 0, baseline: 0 });
      return look(world, each.crash, saw, act);
    }
    case 'jobs':
      endJobs(world, each.state);
      return [];
    case 'request':
      world.requests.push({
        human: null,
        ...each.request,
        seq: world.requests.length + 1,
        rollout: 'r1',
        at: world.now,
        comment: null,
      });
      return [];
    case 'clock':
      world.now += each.ms;
      return [];
    case 'health': {
      const release = world.releases[ids[each.pick % Math.max(1, ids.length)] ?? ''];
      if (release !== undefined)
        Object.assign(release, { sick: each.sick, running: Math.min(release.running, each.running) });
      return [];
    }
    case 'failure': {
      const release = world.releases[ids[each.pick % Math.max(1, ids.length)] ?? ''];
      if (release !== undefined) release.failure = 'it ended 4 times in a row: exit code 1';
      return [];
    }
    case 'edge':
      world.edgeUp = each.up;
      return [];
    case 'bad':
      traffic(world, each.requests, each);
      return [];
    case 'busy':
      world.busy = each.busy;
      return [];
    case 'superseded':
      if (['watching', 'contracting'].includes(world.rollout.phase) || world.rollout.end !== null)
        world.superseded = true;
      return [];
  }
}

function checked(world: World, each: Beat): void {
  const before = world.rollout;
  for (const step of play(world, each)) {
    checkDecision(step);
    if (step.persisted) checkProgress(step, true);
  }
  checkRaise(before, world.rollout, world);
  checkDesired(world);
  checkStory(world);
}

/** What if it were seen to be bad just now: while it is compared, while people are waited for, in the window. */
function turnsOutBad(world: World): void {
  if (world.rollout.end !== null || !['canary', 'watching'].includes(world.rollout.phase)) return;
  const bad = structuredClone(world);
  traffic(bad, 5_000, { canary: 0.3, baseline: 0 });
  for (const step of look(bad, 'none')) {
    checkDecision(step);
    checkProgress(step, true);
  }
}

/** The longest that a rollout may take when nobody interferes any more: every clock once, and a pause for each reason. */
const patience = ({ policy: { deadlines, canary, rollbackWindowMs, pauseMs } }: Rollout): number =>
  Object.values(deadlines).reduce((sum, each) => sum + each, deadlines.buildingMs) +
  canary.reduce((sum, each) => sum + 2 * each.forMs, 0) +
  rollbackWindowMs +
  deadlines.migratingMs +
  6 * pauseMs;

/** Looks again and again, only when the rollout itself says so, until it has ended. */
function untilEnd(world: World, beat: (world: World) => void): void {
  const since = world.now;
  const end = since + patience(world.rollout);
  for (let looks = 0; world.rollout.end === null; looks++) {
    if (looks > 200 || world.now > end)
      throw new Error(
        `it does not end: ${world.rollout.phase}, ${world.rollout.reason} after ${looks} looks, ${world.now - since} ms`,
      );
    beat(world);
  }
}

const workSeen: fc.Arbitrary<Work> = fc
  .constantFrom<Work['state']>('absent', 'running', 'done', 'failed', 'unknown')
  .map((state) => ({ state, detail: state }));
const releaseSeen: fc.Arbitrary<ReleaseObservation> = fc.record({
  wanted: fc.nat(3),
  running: fc.nat(3),
  healthy: fc.nat(3),
  failure: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant('it could not be started') },
  ),
  weight: fc.constantFrom(null, 0, 10, 99, 100),
  starting: fc.boolean(),
  present: fc.boolean(),
});
const noise = fc.record(
  {
    build: workSeen,
    migration: workSeen,
    smoke: workSeen,
    check: workSeen,
    contract: workSeen,
    to: releaseSeen,
    from: fc.option(releaseSeen),
  },
  { requiredKeys: [] },
);
const calm = { weight: 9, arbitrary: fc.constant({}) };
const noisyBeat = fc.record({
  beat,
  services: fc.array(fc.oneof(calm, { weight: 1, arbitrary: noise }), { minLength: 4, maxLength: 4 }),
  edgeReachable: often,
  superseded: rarely,
});

function withNoise(
  real: Observed,
  heard: { services: object[]; edgeReachable: boolean; superseded: boolean },
): Observed {
  const { edgeReachable, superseded } = heard;
  const services = Object.entries(real.services).map(([name, service], index): [string, ServiceObserved] => [
    name,
    { ...service, ...heard.services[index] },
  ]);
  return { ...real, edgeReachable, superseded, services: Object.fromEntries(services) };
}

describe('a rollout, whatever happens', () => {
  it('keeps every rule through crashes, requests, failures and a clock that jumps', { timeout }, () => {
    fc.assert(
      fc.property(rollout, beats, (given, history) => {
        const world = newWorld(given);
        for (const each of history) {
          checked(world, each);
          turnsOutBad(world);
        }

        // From here on nobody interferes, and the world does nothing, or all that it should.
        const dead = structuredClone(world);
        untilEnd(dead, () => {
          const steps = look(dead, 'none');
          for (const step of steps) checkDecision(step);
          const wakeAt = steps.at(-1)?.decision.wakeAt;
          if (wakeAt !== null && wakeAt !== undefined) dead.now = Math.max(dead.now, wakeAt);
        });

        const fair = structuredClone(world);
        fair.edgeUp = true;
        fair.busy = false;
        for (const release of Object.values(fair.releases)) Object.assign(release, { sick: false, failure: null });
        untilEnd(fair, () => {
          checked(fair, FAIR);
          // Nobody comes to answer what it asks.
          const { paused, policy: unit } = fair.rollout;
          const left = paused === null ? 30 * second : Math.max(0, paused.since + unit.pauseMs - fair.now);
          checked(fair, { ...FAIR, ms: left });
        });
        fair.superseded = true;
        for (let looks = 0; looks < 5; looks++) checked(fair, FAIR);
        if (!fair.rollout.settled) throw new Error(`it does not settle: ${look(fair, 'none').at(-1)?.decision.reason}`);
      }),
      parameters,
    );
  });

  it('decides soundly whatever it is told, be it impossible', { timeout }, () => {
    fc.assert(
      fc.property(rollout, fc.array(noisyBeat, { maxLength: 50, size: 'max' }), (given, history) => {
        const world = newWorld(given);
        for (const each of history) {
          const steps = play(world, each.beat, (real) => withNoise(observe(real), each), unchecked);
          for (const step of steps) {
            checkDecision(step);
            if (step.persisted) checkProgress(step, false);
          }
          checkDesired(world);
        }
      }),
      parameters,
    );
  });
});
