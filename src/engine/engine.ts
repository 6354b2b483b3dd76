import type { Scope } from '../domain/project/scope.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { attempt } from './attempt.ts';
import { CERTIFICATES_EVERY_MS, CertificateKeeper } from './certificates/keeper.ts';
import type { KeptCertificate } from './certificates/keeper.ts';
import type { EngineDeps } from './deps.ts';
import { tick } from './environment.ts';
import { awayTools, lookWithoutStore } from './emergency/away-look.ts';
import { type Reads, readsOf } from './emergency/reads.ts';
import { reconcile } from './emergency/reconcile.ts';
import { every } from './housekeeping.ts';
import { EnvironmentMemory, type Seen } from './memory.ts';
import { ReleaseCache } from './release-cache.ts';
import type { EnvironmentTools } from './tools.ts';
import { Works } from './works.ts';

/** After a look that threw; a store or an edge that is away is asked again soon. */
const RETRY_MS = 500;

/** The loops over all environments. One loop for each, one look at a time; any of them can be told to look now. */
export interface Engine {
  start(): Promise<void>;
  /** Tells the edge who acts from now on. Does nothing while the edge does not answer; every loop does it first then. */
  takeOver(): Promise<void>;
  /** Ends the loops after the look that is under way. Nothing that runs is touched. */
  stop(): Promise<void>;
  /** Look at an environment now, and begin its loop if it has none yet. */
  wake(scope: Scope): void;
  /** As last decided, with the newest evidence; null when the loop does not know it. */
  latest(rollout: string): { rollout: Rollout; wakeAt: number | null } | null;
  /** What the last look at an environment saw; null before the first. */
  seen(scope: Scope): Seen | null;
  /** Why no copy of a release can be started at present (a secret that is not set), or null. */
  unstartable(scope: Scope, release: string): string | null;
  /** Why the edge refused what it was told last of an environment (a port that a stranger has), or null. */
  refusal(scope: Scope): string | null;
  /** What is stored, or, while the store is away, what was known last. */
  reads: Reads;
  /** Looks at an environment past the store that is away; see emergency/away-look.ts. */
  lookWithoutStore(scope: Scope): Promise<void>;
  /** Certificates that are got and renewed for an environment. */
  certificates(scope: Scope): KeptCertificate[];
  /** Called after every look that may have changed something of the environment. */
  onLook(listener: (scope: Scope) => void): () => void;
  deps: EngineDeps;
}

interface Loop {
  scope: Scope;
  memory: EnvironmentMemory;
  tools: EnvironmentTools;
  /** Ends the wait between two looks. */
  nudge: AbortController;
  nudged: boolean;
  done: Promise<void>;
}

export function createEngine(given: EngineDeps): Engine {
  const loops = new Map<string, Loop>();
  const listeners = new Set<(scope: Scope) => void>();
  /** What looks without the store work with, for as long as there is something to be written. */
  const away = new Map<string, EnvironmentTools>();
  let stopped = false;
  let takenOver = false;
  const deps: EngineDeps = {
    ...given,
    onFenced: () => {
      stopped = true;
      upkeep.abort();
      given.onFenced();
    },
  };

  const keeper = deps.certificates === undefined ? null : new CertificateKeeper(deps, deps.certificates);
  const upkeep = new AbortController();
  let keeping: Promise<void> = Promise.resolve();

  const nameOf = (scope: Scope): string => `${scope.project}/${scope.environment}`;

  function wake(scope: Scope): void {
    if (stopped) return;
    const loop = loops.get(nameOf(scope)) ?? begin(scope);
    loop.nudged = true;
    loop.nudge.abort();
  }

  function begin({ project, environment }: Scope): Loop {
    // Whoever wakes it may know more of it, such as a whole rollout.
    const scope = { project, environment };
    const memory = new EnvironmentMemory();
    const again = (): void => wake(scope);
    const tools: EnvironmentTools = {
      deps,
      memory,
      works: new Works(deps, again),
      releases: new ReleaseCache(deps.store),
      wake: again,
    };
    const loop: Loop = { scope, memory, tools, nudge: new AbortController(), nudged: false, done: Promise.resolve() };
    loops.set(nameOf(scope), loop);
    loop.done = run(loop);
    return loop;
  }

  async function run(loop: Loop): Promise<void> {
    while (!stopped) {
      loop.nudged = false;
      loop.nudge = new AbortController();
      const next = await look(loop);
      for (const listener of listeners) listener(loop.scope);
      if (!loop.nudged && !stopped) await deps.clock.sleep(Math.max(0, next - deps.clock.now()), loop.nudge.signal);
    }
  }

  async function look(loop: Loop): Promise<number> {
    const { scope, tools } = loop;
    const soon = (): number => deps.clock.now() + RETRY_MS;
    const pending = (): boolean => deps.emergency.unwritten.of(scope).length > 0;
    // Before anything is read that it changes.
    if (pending() && deps.holds()) await attempt(deps, { ...scope }, 'reconcile', () => reconcile(deps, scope));
    if (pending()) await withoutStore(scope);
    else away.delete(nameOf(scope));
    if (pending() || !deps.holds()) return soon();
    await takeOver();
    return (await attempt(deps, { ...scope }, 'look', () => tick(tools, scope))) ?? soon();
  }

  async function withoutStore({ project, environment }: Scope): Promise<void> {
    const scope = { project, environment };
    const tools = away.get(nameOf(scope)) ?? awayTools(deps);
    away.set(nameOf(scope), tools);
    await attempt(deps, scope, 'look without the store', () => lookWithoutStore(tools, scope));
  }

  /** The edge hears of this controller before it does anything else: from then on it refuses the one before. */
  async function takeOver(): Promise<void> {
    if (takenOver || !deps.holds()) return;
    const command = { fence: deps.fence, services: [], remove: [], takesOver: true };
    const reply = await deps.traffic.apply(command).catch(() => null);
    if (reply?.refused?.reason === 'fence') deps.onFenced();
    takenOver ||= reply?.applied === true;
  }

  return {
    deps,
    wake,
    takeOver,
    async start() {
      for (const each of await deps.store.environments()) wake(each);
      if (keeper === null) return;
      const look = (): Promise<void> => keeper.look(upkeep.signal);
      keeping = every(deps, CERTIFICATES_EVERY_MS, 'certificates', look, upkeep.signal);
    },
    async stop() {
      stopped = true;
      upkeep.abort();
      for (const loop of loops.values()) loop.nudge.abort();
      await Promise.all([...[...loops.values()].map((loop) => loop.done), keeping.then(() => keeper?.stop())]);
    },
    reads: readsOf(deps.store, deps.clock, deps.emergency),
    lookWithoutStore: withoutStore,
    latest(rollout) {
      for (const loop of loops.values()) {
        const known = loop.memory.latest.get(rollout);
        if (known !== undefined) return known;
      }
      return null;
    },
    seen: (scope) => loops.get(nameOf(scope))?.memory.seen ?? null,
    unstartable: (scope, release) => loops.get(nameOf(scope))?.memory.unstartable.get(release) ?? null,
    refusal: (scope) => loops.get(nameOf(scope))?.memory.refusal ?? null,
    certificates: (scope) => keeper?.of(scope) ?? [],
    onLook(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
