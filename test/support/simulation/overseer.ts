import type { Rollout } from '../../../src/domain/rollout/rollout.ts';
import { releaseOf } from '../../../src/engine/beside.ts';
import type { Act } from './acts.ts';
import type { Machine } from './machine.ts';
import { BrokenRule } from './broken-rule.ts';
import {
  checkContract,
  checkHeeded,
  checkHot,
  checkTable,
  checkTransition,
  checkUnderWay,
  truthOf,
  type Witness,
} from './rules.ts';
import type { VirtualTime } from './time.ts';
import { checkOrder, checkSplits } from './unit-rules.ts';

/** Why the engine stops an instance whose release goes on with fewer. */
const FEWER = 'fewer instances are wanted';

/** Looks over the shoulder of everybody who changes anything, and keeps the first rule that was broken. */
export class Overseer {
  readonly #machine: Machine;
  readonly #time: VirtualTime;
  readonly #note: (what: string) => void;
  readonly #witness: Witness = { jobs: new Set(), answered: new Map() };
  /** When a person's request was in the store, by rollout and number. */
  readonly recorded = new Map<string, number>();
  /** When the environment was last taken down. */
  downAt = -Infinity;
  /** The clock was set meanwhile. */
  skewed = false;
  broken: Error | null = null;
  /** The highest fence of an act so far, and whether leases say who may act. */
  #newest = 0;
  leases = false;
  readonly #takenBack = new Set<string>();

  constructor(machine: Machine, time: VirtualTime, note: (what: string) => void) {
    this.#machine = machine;
    this.#time = time;
    this.#note = note;
    this.#watch();
  }

  /** A person took it back at the edge while the store was away: it has no traffic, and never has again. */
  takenBack(rollout: Rollout): void {
    const traffic = [...this.#machine.edge.table.values()].flatMap(({ config }) => config.releases);
    const gone = rollout.services.map(({ to }) => to);
    // Nothing has traffic in an environment that is down.
    if (traffic.every(({ weight }) => weight === 0)) return;
    // One that could not be taken back (the first release), or that waits for its migration, says so.
    if (traffic.some(({ release, weight }) => gone.includes(release) && weight > 0)) return;
    this.#note(`taken back without the store: ${gone.join(', ')}`);
    for (const release of gone) this.#takenBack.add(release);
  }

  /** One controller acts, and only while its lease holds by the store's own clock, whether another is there or not. */
  acted({ fence, what }: Act): void {
    if (fence < this.#newest)
      this.#fail(new BrokenRule('a controller that is late changes nothing', { fence, what, newest: this.#newest }));
    this.#newest = Math.max(this.#newest, fence);
    if (!this.leases) return;
    const lease = this.#machine.leaseNow();
    if (lease.fence !== fence || lease.expiresAt <= this.#time.now)
      this.#fail(new BrokenRule('who acts has the lease', { fence, what, lease, now: this.#time.now }));
  }

  #watch(): void {
    const machine = this.#machine;
    const { edge, store, jobs, runtime } = machine;
    edge.onApplied = (services, _removed, fence) => {
      this.#note(`edge, fence ${fence}: ${services.map(shown).join('; ')}`);
      for (const { release, weight } of services.flatMap(({ releases }) => releases))
        if (weight > 0 && this.#takenBack.has(release))
          this.#fail(new BrokenRule('what was taken back without the store stays so', { release, weight }));
      void this.#try(async () => checkSplits([...edge.table.values()].map(({ config }) => config)));
      void truthOf(machine)
        .then((truth) => checkTable(machine, services, truth))
        .catch((error: unknown) => this.#fail(error));
    };
    const probe = edge.probe.bind(edge);
    edge.probe = async (request) => {
      const reply = await probe(request);
      if (reply.release !== null) this.#witness.answered.set(reply.release, this.#time.now);
      return reply;
    };
    const saveRollout = store.saveRollout.bind(store);
    const watched: typeof store.saveRollout = async (rollout, ...rest) => {
      const before = await store.rollout(rollout.id);
      const saved = await saveRollout(rollout, ...rest);
      if (saved.saved) this.#saw(before, saved.rollout);
      if (saved.saved && before !== null) await this.#heeded(before, saved.rollout);
      return saved;
    };
    const stop = runtime.stop.bind(runtime);
    runtime.stop = async (id, options) => {
      const release = releaseOf(id, { project: 'shop', environment: 'production' });
      if (options.reason.includes('not wanted'))
        await this.#try(async () => checkHot(release, await truthOf(machine), this.#time.now - this.downAt));
      if (options.reason === FEWER)
        await this.#try(async () => checkUnderWay(release, await truthOf(machine), this.#time.now - this.downAt));
      await stop(id, options);
    };
    const run = runtime.start.bind(runtime);
    runtime.start = async (spec) => {
      const all = await runtime.observe(spec);
      const living = all.filter(
        (each) => each.service === spec.service && each.state !== 'ended' && each.id !== spec.id,
      );
      // That a runtime refuses it too is for the moment that nobody could see, and for a late controller.
      if (spec.alone === true && living.length > 0)
        this.#fail(new BrokenRule('never two copies at once', { id: spec.id, beside: living.map(({ id }) => id) }));
      await run(spec);
      // Afterwards: whoever looks must not hold up what he looks at.
      await this.#try(async () => checkOrder(spec.release, await truthOf(machine)));
    };
    const start = jobs.start.bind(jobs);
    jobs.start = async (spec) => {
      const state = (await jobs.observe(spec.id)).state;
      if (state === 'absent' && this.#witness.jobs.has(spec.id))
        this.#fail(new BrokenRule('a job of one name runs once at most', { id: spec.id }));
      if (state === 'absent') {
        this.#witness.jobs.add(spec.id);
        this.#note(`job ${spec.id}`);
        await this.#aloneOfItsKind(spec.id);
        await this.#aloneWithTheDatabase(spec.id);
        if (spec.id.includes('.contract.')) await this.#try(() => checkContract(machine, spec.id));
      }
      await start(spec);
    };
    machine.store = new Proxy(store, {
      get: (target, key) => (key === 'saveRollout' ? watched : (Reflect.get(target, key) as unknown)),
    });
  }

  /** Requests carry the controller's time; the order in which they were recorded is what counts here. */
  async #heeded(before: Rollout, after: Rollout): Promise<void> {
    const asked = await this.#machine.store.requests(before.id, before.requestSeq);
    const recorded = asked.map((each) => ({
      ...each,
      at: this.recorded.get(`${each.rollout} ${each.seq}`) ?? Infinity,
    }));
    await this.#try(async () => checkHeeded(before, after, recorded, this.#time.now));
  }

  async #try(check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #aloneOfItsKind(id: string): Promise<void> {
    const family = id.replace(/\.\d+$/, '');
    for (const other of this.#witness.jobs)
      if (
        other !== id &&
        other.replace(/\.\d+$/, '') === family &&
        (await this.#machine.jobs.observe(other)).state === 'running'
      )
        this.#fail(new BrokenRule('a job is never started while another of the same rollout lives', { id, other }));
  }

  /** A contract shares a database with nobody who changes it. */
  async #aloneWithTheDatabase(id: string): Promise<void> {
    const changes = (job: string): boolean => /\.(migrate|contract)\./.test(job);
    if (!changes(id)) return;
    for (const other of this.#witness.jobs) {
      if (other === id || !changes(other) || !`${id} ${other}`.includes('.contract.')) continue;
      if ((await this.#machine.jobs.observe(other)).state === 'running')
        this.#fail(new BrokenRule('a contract runs while nothing else changes a database', { id, other }));
    }
  }

  #saw(before: Rollout | null, after: Rollout): void {
    if (before?.phase !== after.phase || before.end !== after.end || before.paused !== after.paused)
      this.#note(
        `${after.id}: ${after.end ?? after.phase}${after.paused === null ? '' : ' (paused)'}: ${after.reason}`,
      );
    try {
      checkTransition(before, after, this.#witness, this.skewed);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.broken ??= error instanceof Error ? error : new Error(String(error));
    this.#note(`BROKEN: ${this.broken.message}`);
  }
}

const shown = (each: { service: string; releases: { release: string; weight: number }[] }): string =>
  each.releases.map(({ release, weight }) => `${release} ${weight}`).join(', ') || each.service;
