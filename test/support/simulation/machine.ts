import type { Builder } from '../../../src/ports/builder.ts';
import type { LastKnown, Unwritten } from '../../../src/ports/emergency.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import type { InstanceSpec } from '../../../src/ports/runtime.ts';
import type { Secrets } from '../../../src/ports/secrets.ts';
import type { Store } from '../../../src/ports/store.ts';
import { type FakeJobBehaviour, type FakeJobs, fakeJobs } from '../../../src/drivers/runtime/fake/jobs.ts';
import { type FakeRuntime, fakeRuntime } from '../../../src/drivers/runtime/fake/runtime.ts';
import { noSecrets } from '../engine/world.ts';
import { emergencyInMemory } from '../engine/emergency.ts';
import { WRITES } from './acts.ts';
import { SimulatedEdge } from './edge.ts';
import { memoryStore } from './memory-store.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';
import { wrapped } from './wrapped.ts';

/** What a release is worth, whatever anybody thinks of it. */
export type Worth = 'good' | 'faulty' | 'sick' | 'crashes';

/** All that outlives a controller: processes, files, the edge. Calls reach it as they come; see `adversary.ts`. */
export interface Machine {
  store: Store;
  runtime: FakeRuntime;
  jobs: FakeJobs;
  edge: SimulatedEdge;
  builder: Builder;
  secrets: Secrets;
  worth(release: string): Worth;
  /** Instances that answer no check although they run. */
  confused: Set<string>;
  /** Everything goes well while this is set: builds, jobs, and whatever is started. */
  kind: boolean;
  /** Every write is refused while this is set. */
  diskFull: boolean;
  /** No controller reaches the store while this is set. */
  storeAway: boolean;
  /** What is kept for that on the machine. */
  unwritten: Unwritten;
  lastKnown: LastKnown;
  /** The highest fence of a controller that acted, as the file in the home has it. */
  fence: number;
  /** The highest fence that was drawn from the store. */
  drawn: number;
  /** The lease as the store has it, asked for in no time. */
  leaseNow(): { fence: number; expiresAt: number };
}

const BUILD_MS = 3_000;
const BOOT_MS = 400;
/** A full disk refuses these, too. */
const TAKES = new Set(['nextFence', 'takeLease', 'renewLease']);

export function newMachine(time: VirtualTime, chance: Random): Machine {
  const clock = { now: () => time.now };
  const worths = new Map<string, Worth>();
  const worth = (release: string): Worth => {
    const known = worths.get(release);
    if (known !== undefined) return known;
    const roll = chance.next();
    const drawn = roll < 0.75 ? 'good' : roll < 0.9 ? 'faulty' : roll < 0.95 ? 'sick' : 'crashes';
    const decided = machine.kind ? 'good' : drawn;
    worths.set(release, decided);
    return decided;
  };
  const confused = new Set<string>();
  const booted = new Map<string, { release: string; at: number }>();
  const runtime = fakeRuntime({
    clock,
    behaviour: (spec: InstanceSpec) => {
      booted.set(spec.id, { release: spec.release, at: time.now });
      const stopsAfterMs = chance.chance(0.2) ? null : chance.int(0, 500);
      return worth(spec.release) === 'crashes'
        ? { ends: { afterMs: chance.int(0, 2_000), end: { kind: 'exit', code: 1 } }, stopsAfterMs }
        : { stopsAfterMs };
    },
  });
  const alive = new Set<string>();
  const refresh = async (): Promise<void> => {
    alive.clear();
    for (const each of await runtime.observe({ project: 'shop', environment: 'production' }))
      if (each.state !== 'ended') alive.add(each.id);
  };
  const edge = new SimulatedEdge(clock.now, (id) => {
    const boot = booted.get(id);
    const well = boot !== undefined && worth(boot.release) !== 'sick' && time.now - boot.at >= BOOT_MS;
    return well && alive.has(id) && !confused.has(id);
  });
  const memory = memoryStore(clock.now);
  const machine: Machine = {
    store: memory,
    runtime,
    jobs: fakeJobs({ clock, behaviour: () => (machine.kind ? { kind: 'exit', code: 0 } : jobBehaviour(chance)) }),
    edge,
    builder: simulatedBuilder(time, chance, () => machine.kind),
    secrets: noSecrets(),
    worth,
    confused,
    kind: true,
    diskFull: false,
    storeAway: false,
    ...emergencyInMemory(),
    fence: 0,
    drawn: 0,
    leaseNow: () => memory.leaseNow(),
  };
  const store = machine.store;
  machine.store = wrapped(store, (value, key, target) => {
    if (!WRITES.has(key) && !TAKES.has(key)) return value;
    return async (...args) => {
      if (machine.diskFull)
        throw new EvenkeelError({ code: 'store-full', what: 'The disk is full.', retryable: true, exit: 2 });
      const answer: unknown = await Reflect.apply(value, target, args);
      if (key === 'nextFence') machine.drawn = Math.max(machine.drawn, Number(answer));
      if (key === 'takeLease') machine.drawn = Math.max(machine.drawn, (answer as { fence?: number }).fence ?? 0);
      return answer;
    };
  });
  const state = edge.state.bind(edge);
  edge.state = async () => {
    await refresh();
    return state();
  };
  return machine;
}

function jobBehaviour(chance: Random): FakeJobBehaviour {
  const afterMs = chance.int(0, 8_000);
  const roll = chance.next();
  if (roll < 0.84) return { kind: 'exit', code: 0, afterMs };
  if (roll < 0.9) return { kind: 'exit', code: 1, afterMs };
  if (roll < 0.94) return { kind: 'hang', heedsCancel: chance.chance(0.5) };
  return { kind: 'unknown', reason: 'its machine lost power', afterMs };
}

function simulatedBuilder(time: VirtualTime, chance: Random, kind: () => boolean): Builder {
  const builds = new Map<string, { doneAt: number; ok: boolean; cancelled: boolean }>();
  return {
    async start({ id }) {
      if (!builds.has(id))
        builds.set(id, {
          doneAt: time.now + chance.int(0, BUILD_MS),
          ok: kind() || !chance.chance(0.03),
          cancelled: false,
        });
    },
    async observe(id) {
      const build = builds.get(id);
      if (build === undefined) return { state: 'absent' };
      if (build.cancelled) return { state: 'failed', detail: 'it was cancelled' };
      if (build.doneAt > time.now) return { state: 'running', detail: '' };
      return build.ok
        ? { state: 'done', artifact: `sha-${id}`, reused: false, detail: '' }
        : { state: 'failed', detail: 'exit code 2' };
    },
    async examine() {},
    async cancel(id) {
      const build = builds.get(id);
      if (build !== undefined && build.doneAt > time.now) build.cancelled = true;
    },
    async remove(id) {
      builds.delete(id);
    },
    inputDigest: async () => String(chance.int(0, 1_000_000)),
    artifactOf: async () => null,
    sourceFiles: async () => [],
    artifactFiles: async () => [],
    artifactPath: (artifact) => `/artifacts/${artifact}`,
    has: async () => true,
    collect: async () => ({ artifacts: 0, bytes: 0 }),
    sourceInfo: async (_root, label) => ({ commit: null, dirty: false, label }),
  };
}
