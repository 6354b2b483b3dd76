import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PHASES, type Rollout } from '../../src/domain/rollout/rollout.ts';
import type { Store } from '../../src/ports/store.ts';
import { aDeployment, anEntry, aRelease, aRequest, aRollout } from './store-fixtures.ts';
import { StoreModel } from './store-model.ts';

const service = fc.constantFrom('api', 'web', 'ws', 'mail');
const services = fc.uniqueArray(service, { minLength: 1, maxLength: 3 });
const environment = fc.constantFrom('production', 'staging');
const port = fc.option(fc.integer({ min: 20_000, max: 20_005 }));

/** One call of the store. Numbers choose among what exists then. */
const operation = fc.oneof(
  fc.record({ do: fc.constant('fence' as const) }),
  fc.record({ do: fc.constant('release' as const), services }),
  fc.record({ do: fc.constant('ensure' as const), service, environment, internalPort: port, previewPort: port }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('create' as const), services, environment }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('save' as const),
      which: fc.nat(),
      forward: fc.nat(3),
      end: fc.option(fc.constantFrom('aborted', 'failed', 'rolled-back', 'complete'), { freq: 4 }),
      settled: fc.boolean(),
      stale: fc.boolean(),
      behind: fc.boolean(),
      lines: fc.nat(2),
      serves: fc.option(service),
    }),
  },
  fc.record({ do: fc.constant('request' as const), which: fc.nat(), force: fc.boolean() }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

async function run(each: Operation, store: Store, model: StoreModel, step: number): Promise<void> {
  switch (each.do) {
    case 'fence':
      return expect(await store.nextFence()).toBe(model.nextFence());
    case 'release': {
      const numbers = await store.reserveReleaseNumbers('chat', each.services);
      expect(numbers).toEqual(model.reserve(each.services));
      const releases = Object.entries(numbers).map(([name, number]) => aRelease(name, number, { createdAt: 1 }));
      await store.addReleases(releases);
      model.releases.push(...releases);
      return;
    }
    case 'ensure': {
      const { do: _, ...rest } = each;
      const wanted = aDeployment(each.service, rest);
      const answer = await store.ensureDeployments([wanted]).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      );
      return expect(answer).toBe(model.ensure(wanted));
    }
    case 'create': {
      const rollout = aRollout(`r${step}`, each.services, { environment: each.environment });
      const answer = await store.createRollout(rollout, anEntry({ at: step }));
      return expect(answer).toEqual(model.create(rollout, anEntry({ at: step })));
    }
    case 'save':
      return save(each, store, model);
    case 'request': {
      const rollout = model.rollouts[each.which % model.rollouts.length];
      if (rollout === undefined) return;
      const request = aRequest(rollout.id, { force: each.force, at: step });
      return expect(await store.addRequest(request)).toEqual(model.request(request));
    }
  }
}

async function save(each: Extract<Operation, { do: 'save' }>, store: Store, model: StoreModel): Promise<void> {
  const stored = model.rollouts[each.which % model.rollouts.length];
  if (stored === undefined) return;
  const phase = PHASES[Math.min(PHASES.indexOf(stored.phase) + each.forward, PHASES.length - 2)] ?? 'pending';
  const end = stored.end ?? each.end;
  const changed: Rollout = { ...stored, phase, end, settled: end !== null && (stored.settled || each.settled) };
  const read = each.stale ? { ...changed, version: stored.version - 1 } : changed;
  const fence = each.behind ? stored.fence - 1 : Math.max(stored.fence, model.fence);
  const entries = Array.from({ length: each.lines }, (_, line) => anEntry({ at: line, from: 'pending', to: phase }));
  const serving = each.serves === null ? [] : [{ service: each.serves, current: `${each.serves}@1`, former: null }];
  const answer = await store.saveRollout(read, fence, entries, serving);
  expect(answer).toEqual(model.save(read, fence, entries, serving));
}

async function compare(store: Store, model: StoreModel): Promise<void> {
  expect(await store.rollouts({})).toEqual(model.rollouts.toReversed());
  const live = model.rollouts.filter(({ end, settled }) => end === null || !settled);
  expect(await store.rollouts({ unsettled: true })).toEqual(live.toReversed());
  expect(await store.releases({ project: 'chat' })).toEqual(model.releases.toReversed());
  expect(await store.takenPorts()).toEqual(model.takenPorts());
  for (const name of ['production', 'staging']) {
    const known = model.deployments.filter((each) => each.environment === name);
    const sorted = known.toSorted((a, b) => (a.service < b.service ? -1 : 1));
    expect(await store.deployments('chat', name)).toEqual(sorted);
  }
  for (const { id } of model.rollouts) {
    expect(await store.journal(id)).toEqual(model.journalOf(id));
    expect(await store.requests(id, 0)).toEqual(model.requestsOf(id));
  }
}

/** Any sequence of calls is answered as the plain model answers it. `open` gives an empty store. */
export function modelSuite(name: string, open: () => Promise<Store>, { numRuns }: { numRuns: number }): void {
  test(`${name}: any sequence of calls is answered as the plain model answers it`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const store = await open();
        try {
          const model = new StoreModel();
          for (const [step, each] of operations.entries()) await run(each, store, model, step);
          await compare(store, model);
        } finally {
          await store.close();
        }
      }),
      { numRuns },
    );
  });
}
