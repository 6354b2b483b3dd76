import { beforeAll, expect, test, vi } from 'vitest';
import type * as Judge from '../../src/domain/analysis/judge.ts';
import type * as Contracting from '../../src/domain/rollout/contracting.ts';
import type * as Desired from '../../src/domain/rollout/desired.ts';
import type * as Gate from '../../src/domain/rollout/gate.ts';
import type * as Jobs from '../../src/domain/rollout/jobs.ts';
import type { Work } from '../../src/domain/rollout/observed.ts';
import type * as PastContract from '../../src/domain/rollout/past-contract.ts';
import type * as Promoting from '../../src/domain/rollout/promoting.ts';
import type * as Scale from '../../src/domain/scaling/decide-scale.ts';
import type * as Requests from '../../src/domain/rollout/requests.ts';
import { enter } from '../../src/domain/rollout/transition.ts';
import type * as Watching from '../../src/domain/rollout/watching.ts';
import type * as Addresses from '../../src/engine/addresses.ts';
import type * as Advance from '../../src/engine/advance.ts';
import type * as Beside from '../../src/engine/beside.ts';
import type * as Reconcile from '../../src/engine/emergency/reconcile.ts';
import type * as Fenced from '../../src/engine/fenced.ts';
import type * as Lease from '../../src/engine/lease.ts';
import type * as WorkIds from '../../src/engine/work-ids.ts';

/** A simulator that sees nothing would keep every rule too: each of these breaks one, and must be seen to. */

const ENOUGH = 5_000;
const src = (path: string): string => new URL(`../../src/${path}`, import.meta.url).pathname;

interface Mutant {
  module: string;
  change: (real: never) => object;
}

const mutant = <Real>(module: string, change: (real: Real) => Partial<Real>): Mutant => ({
  module: src(module),
  change,
});

/** Jobs whose work looks otherwise than it is. */
const misread = (read: (work: Work) => Work): Mutant =>
  mutant<typeof Jobs>('domain/rollout/jobs.ts', ({ jobsOf }) => ({
    jobsOf: (...args) => jobsOf(...args).map((job) => ({ ...job, work: read(job.work) })),
  }));

const MUTANTS: Record<string, Mutant> = {
  'nobody hears an abort': mutant<typeof Requests>('domain/rollout/requests.ts', ({ answer }) => ({
    takeBack: () => null,
    answer: (rollout, observed, now) =>
      answer(
        rollout,
        {
          ...observed,
          requests: observed.requests.filter(({ kind }) => !/abort|reject|rollback|supersede/.test(kind)),
        },
        now,
      ),
  })),
  'weights do not sum to 100': mutant<typeof Desired>('domain/rollout/desired.ts', ({ desiredServices }) => ({
    desiredServices: (...args) =>
      desiredServices(...args).map((each) => ({
        ...each,
        releases: each.releases.map((one, index) => (index === 1 ? { ...one, weight: one.weight + 1 } : one)),
      })),
  })),
  'a release has traffic before it is verified': mutant<typeof Desired>('domain/rollout/desired.ts', (real) => ({
    desiredServices: (...args) =>
      real
        .desiredServices(...args)
        .map((each) =>
          each.releases.length === 2
            ? { ...each, releases: each.releases.map((one) => ({ ...one, weight: 50 })) }
            : each,
        ),
  })),
  'the former release stops with the switch': mutant<typeof Desired>('domain/rollout/desired.ts', (real) => ({
    desiredServices: (...args) =>
      real.desiredServices(...args).map((each) => {
        const last = each.releases.at(-1);
        return last?.weight === 100 ? { ...each, releases: [last] } : each;
      }),
  })),
  'the gate is always open': mutant<typeof Gate>('domain/rollout/gate.ts', () => ({
    gate: (rollout, now, reason, detail) => enter(rollout, 'promoting', now, reason, detail),
  })),
  'a failed job is a done one': misread((work) => (work.state === 'failed' ? { ...work, state: 'done' } : work)),
  'an unknown end is a good one': misread((work) => (work.state === 'unknown' ? { ...work, state: 'done' } : work)),
  'a running job is a done one': misread((work) => (work.state === 'running' ? { ...work, state: 'done' } : work)),
  'success is said without an answer': mutant<typeof Promoting>('domain/rollout/promoting.ts', ({ promoting }) => ({
    promoting: (rollout, observed, now) => {
      const services = Object.entries(observed.services).map(([name, each]) => {
        const to = rollout.services.find(({ service }) => service === name)?.to ?? '';
        return [name, { ...each, to: { ...each.to, weight: 100 }, answered: { release: to, at: now } }];
      });
      return promoting(rollout, { ...observed, edgeReachable: true, services: Object.fromEntries(services) }, now);
    },
  })),
  'the window is over at once': mutant<typeof Watching>('domain/rollout/watching.ts', ({ watching }) => ({
    watching: (rollout, observed, now) => {
      const short = { ...rollout, policy: { ...rollout.policy, rollbackWindowMs: 0 } };
      const decision = watching(short, observed, now);
      return { ...decision, next: { ...decision.next, policy: rollout.policy } };
    },
  })),
  'nobody looks in the window': mutant<typeof Watching>('domain/rollout/watching.ts', ({ watching }) => ({
    watching: (rollout, observed, now) => {
      const decision = watching({ ...rollout, analysis: {} }, observed, now);
      return { ...decision, next: { ...decision.next, analysis: rollout.analysis } };
    },
  })),
  'each service of a unit has a share of its own': mutant<typeof Desired>(
    'domain/rollout/desired.ts',
    ({ desiredServices }) => ({
      desiredServices: (...args) =>
        desiredServices(...args).map((each) =>
          each.service === 'web' && each.split !== null && each.releases.some(({ weight }) => weight === 50)
            ? { ...each, releases: each.releases.map((one, index) => ({ ...one, weight: index === 0 ? 90 : 10 })) }
            : each,
        ),
    }),
  ),
  'nothing waits for what it comes after': mutant<typeof Desired>(
    'domain/rollout/desired.ts',
    ({ desiredServices }) => ({
      desiredServices: (deployments, rollouts) =>
        desiredServices(
          deployments,
          rollouts.map((each) => ({ ...each, services: each.services.map((part) => ({ ...part, after: [] })) })),
        ),
    }),
  ),
  'nothing seen is a pass': mutant<typeof Judge>('domain/analysis/judge.ts', ({ judge }) => ({
    judge: (input) => {
      const verdict = judge(input);
      return verdict.verdict === 'inconclusive' && input.phaseComplete ? { ...verdict, verdict: 'pass' } : verdict;
    },
  })),
  'a job is begun at every look': mutant<typeof WorkIds>('engine/work-ids.ts', ({ workId }) => {
    let looks = 1;
    return { workId: (rollout, kind, service) => workId(rollout, kind, service, kind === 'build' ? 1 : ++looks) };
  }),
  'a contract does not wait for the former release': mutant<typeof Contracting>(
    'domain/rollout/contracting.ts',
    ({ contracting }) => ({
      contracting: (rollout, observed, now) => {
        const services = Object.entries(observed.services).map(([name, each]) => [name, { ...each, from: null }]);
        return contracting(rollout, { ...observed, services: Object.fromEntries(services) }, now);
      },
    }),
  ),
  'a contract runs beside a migration': mutant<typeof Contracting>(
    'domain/rollout/contracting.ts',
    ({ contracting }) => ({
      contracting: (rollout, observed, now) => contracting(rollout, { ...observed, schemaBusy: null }, now),
      contractUnderWay: () => null,
    }),
  ),
  'a rollback goes past a contract': mutant<typeof PastContract>('domain/rollout/past-contract.ts', () => ({
    behindContract: () => null,
    whyPastContract: () => null,
  })),
  'addresses are never taken back': mutant<typeof Addresses>('engine/addresses.ts', ({ keepAddresses }) => ({
    keepAddresses: (deps, scope, wanted) =>
      keepAddresses({ ...deps, store: { ...deps.store, takeAddresses: async () => undefined } }, scope, wanted),
  })),
  'what cannot run twice starts at once': mutant<typeof Beside>('engine/beside.ts', () => ({
    runsBeside: () => false,
  })),
  'instances are taken away while releases are compared': mutant<typeof Scale>(
    'domain/scaling/decide-scale.ts',
    ({ decideScale }) => ({
      decideScale: (now, bounds, targets, samples, seen) =>
        decideScale(now, bounds, targets, samples, { ...seen, mayShrink: true }),
    }),
  ),
  'nothing asks whether it may act': mutant<typeof Fenced>('engine/fenced.ts', () => ({ permitOf: () => () => {} })),
  'instances are started and stopped without a permit': mutant<typeof Fenced>('engine/fenced.ts', () => ({
    fencedRuntime: (runtime) => runtime,
  })),
  'jobs are begun without a permit': mutant<typeof Fenced>('engine/fenced.ts', () => ({ fencedJobs: (jobs) => jobs })),
  'the edge is told things without a permit': mutant<typeof Fenced>('engine/fenced.ts', () => ({
    fencedTraffic: (traffic) => traffic,
  })),
  'a lease is not looked at again after a pause': mutant<typeof Lease>('engine/lease.ts', ({ awaitLease }) => ({
    awaitLease: async (...args) => {
      const taken = await awaitLease(...args);
      if (taken === null) return null;
      const { tenure, former } = taken;
      const held = { fence: tenure.fence, keep: tenure.keep.bind(tenure), giveUp: tenure.giveUp.bind(tenure) };
      return { former, tenure: { ...held, holds: () => true } };
    },
  })),
  'a holder that is silent is taken for dead': mutant<typeof Lease>('engine/lease.ts', ({ awaitLease }) => ({
    awaitLease: (deps, ...rest) => awaitLease({ ...deps, isDead: () => true }, ...rest),
  })),
  'what was taken back without the store is forgotten': mutant<typeof Reconcile>(
    'engine/emergency/reconcile.ts',
    () => ({
      reconcile: ({ emergency }, scope) =>
        emergency.unwritten.remove(emergency.unwritten.of(scope).map(({ id }) => id)),
    }),
  ),
  'what the store refused is built upon': mutant<typeof Advance>('engine/advance.ts', ({ advance }) => ({
    advance: async (...args) => {
      const advanced = await advance(...args);
      return advanced === null ? null : { ...advanced, unpersisted: false };
    },
  })),
};

/** The mutant that is alive; all are there from the beginning, since modules are loaded once. */
let alive = '';

beforeAll(() => {
  for (const module of new Set(Object.values(MUTANTS).map((each) => each.module)))
    vi.doMock(module, async (original) => {
      const real: Record<string, unknown> = await original();
      const patched = { ...real };
      for (const [name, each] of Object.entries(MUTANTS)) {
        if (each.module !== module) continue;
        for (const [key, changed] of Object.entries(each.change(real as never))) {
          const before = patched[key] as (...args: unknown[]) => unknown;
          const after = changed as typeof before;
          patched[key] = (...args: unknown[]) => (alive === name ? after(...args) : before(...args));
        }
      }
      return patched;
    });
});

/** The first history to look at, for what is rarely seen: the next one that shows it may come later, and is found too. */
const FIRST: Record<string, number> = {
  'nobody hears an abort': 351,
  'a failed job is a done one': 243,
  'an unknown end is a good one': 135,
  'nobody looks in the window': 1_465,
  'each service of a unit has a share of its own': 232,
  'nothing seen is a pass': 342,
  'a contract runs beside a migration': 156,
  'a rollback goes past a contract': 259,
  'instances are taken away while releases are compared': 2_101,
  'instances are started and stopped without a permit': 608,
  'jobs are begun without a permit': 945,
  'the edge is told things without a permit': 49,
  'a holder that is silent is taken for dead': 207,
  'what was taken back without the store is forgotten': 280,
  'a lease is not looked at again after a pause': 41,
  'what the store refused is built upon': 6_627,
};

test.each(Object.keys(MUTANTS))('is seen: %s', { timeout: 300_000 }, async (name) => {
  const { campaign } = await import('../support/simulation/campaign.ts');
  alive = name;
  // What only several controllers can do wrong is looked for where there are several.
  const several = /engine\/(fenced|lease)/.test(MUTANTS[name]?.module ?? '') ? 1 : undefined;
  await expect(campaign(FIRST[name] ?? 1, ENOUGH, several)).rejects.toThrow(/broke a rule/);
});
