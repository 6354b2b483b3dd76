import { createHash } from 'node:crypto';
import { cronTimetable } from '../../../src/drivers/schedule/cron-timetable.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { fencedBuilder, fencedJobs, fencedRuntime, fencedTraffic, permitOf } from '../../../src/engine/fenced.ts';
import { awaitLease, type Tenure } from '../../../src/engine/lease.ts';
import type { Store } from '../../../src/ports/store.ts';
import { fakePasswords, fakePlaces, noMigrations } from '../engine/world.ts';
import { type Act, bound, leaseOf, quietLog, reachable, witnessed } from './acts.ts';
import { type AdversaryHooks, alive, type Life, type Malice, through } from './adversary.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

type ControllerLife = Life & { resume: (() => void) | null };

export interface Controller {
  readonly fence: number;
  readonly engine: Engine;
  readonly life: ControllerLife;
  /** Whether the lease holds, as the controller itself sees it. */
  holds(): boolean;
}

/** How long a lease lasts here, ms. */
const LEASE_MS = 6_000;

/**
 * The controllers of a history. With one at a time its lock is the kernel's: another begins once it is dead. Several have
 * a lease: one that is stopped may be overtaken, and not know yet that it is late.
 */
export class Controllers {
  readonly all: Controller[] = [];
  readonly #machine: Machine;
  readonly #time: VirtualTime;
  readonly #chance: Random;
  readonly #note: (what: string) => void;
  readonly #several: number;
  /** Of every process that ever stood by or acted, by what the lease says of it. */
  readonly #lives = new Map<string, ControllerLife>();
  readonly #acted: (act: Act) => void;
  #ended = false;
  #beginning = false;
  #ids = 0;
  malice: Malice;
  /** What the wall clock is off by, ms. */
  skew = 0;

  constructor(
    machine: Machine,
    options: {
      time: VirtualTime;
      chance: Random;
      malice: Malice;
      /** How many there are at a time. */
      several: number;
      note: (what: string) => void;
      /** Told of every act. */
      acted?: (act: Act) => void;
    },
  ) {
    this.#machine = machine;
    this.#time = options.time;
    this.#chance = options.chance;
    this.#note = options.note;
    this.#several = options.several;
    this.#acted = options.acted ?? (() => undefined);
    this.malice = options.malice;
  }

  /** The newest that can act, if any. */
  get acting(): Controller | null {
    return this.all.findLast(({ life }) => !life.dead && life.stopped === null) ?? null;
  }

  /** Sets them going; with several, all of them. */
  async begin(): Promise<void> {
    if (this.#several > 1) for (let each = 0; each < this.#several; each++) void this.#standBy();
    else await this.#beginAlone();
  }

  /** Nothing goes wrong any more: whoever can act does. */
  goOn(): void {
    if (this.#several === 1 && this.acting === null) void this.#beginAlone();
  }

  end(): void {
    this.#ended = true;
    for (const life of this.#lives.values()) life.dead = true;
    for (const each of this.all) {
      each.life.dead = true;
      void each.engine.stop();
    }
  }

  /** A process that waits for the lease, acts once it has it, and is followed by another when it has died. */
  async #standBy(): Promise<void> {
    if (this.#ended) return;
    const about = `process ${this.#lives.size + 1}`;
    const life: ControllerLife = { dead: false, stopped: null, resume: null };
    this.#lives.set(about, life);
    const clock = this.#clock(life);
    const store = this.#through(life, about).store(reachable(this.#machine.store, () => this.#machine.storeAway));
    const leased = await awaitLease(
      {
        store: { ...leaseOf(store), actAs: () => undefined },
        clock,
        elapsed: () => this.#time.now,
        log: quietLog,
        holder: about,
        about,
        leaseMs: LEASE_MS,
        isDead: (other) => this.#lives.get(other)?.dead === true,
      },
      new AbortController().signal,
    );
    if (leased === null) return;
    const { tenure, former } = leased;
    const before = this.#lives.get(former?.about ?? '');
    const late = this.all.find((each) => each.life === before);
    // As on one machine: who let its lease run out is ended, unless a debugger is to see it.
    if (late !== undefined && before?.dead === false && this.#chance.chance(0.3)) this.kill(late);
    await this.#time.tick();
    if (this.#machine.fence > tenure.fence) return this.#follow(life);
    this.#machine.fence = tenure.fence;
    this.#act(life, tenure);
    void tenure.keep(new AbortController().signal).then((kept) => {
      const mine = this.all.find((each) => each.life === life);
      if (!kept && mine !== undefined) this.kill(mine);
    });
  }

  #follow(life: ControllerLife): void {
    if (life.dead) return;
    life.dead = true;
    this.#time.after(this.#chance.int(50, 1_500), () => void this.#standBy());
  }

  #act(life: ControllerLife, tenure: Pick<Tenure, 'fence' | 'holds'>): void {
    const { fence } = tenure;
    const holds = (): boolean => tenure.holds();
    const controller: Controller = { fence, life, holds, engine: this.#engine(tenure, life) };
    this.all.push(controller);
    this.#note(`controller ${fence} begins`);
    void controller.engine.start().catch(() => this.kill(controller));
  }

  async #beginAlone(): Promise<void> {
    if (this.#beginning) return;
    this.#beginning = true;
    try {
      if (this.#machine.storeAway) throw new Error('the store is away');
      const fence = await this.#machine.store.nextFence();
      this.#machine.fence = fence;
      this.#act({ dead: false, stopped: null, resume: null }, { fence, holds: () => true });
    } catch {
      // A full disk, or no store: its keeper tries again.
      this.#beginSoon();
    } finally {
      this.#beginning = false;
    }
  }

  kill(controller: Controller): void {
    if (controller.life.dead) return;
    this.#note(`controller ${controller.fence} dies`);
    controller.life.dead = true;
    controller.life.stopped = null;
    controller.life.resume?.();
    void controller.engine.stop();
    if (this.#several > 1) this.#time.after(this.#chance.int(50, 1_500), () => void this.#standBy());
    else this.#beginSoon();
  }

  stop(controller: Controller): void {
    const { life } = controller;
    if (life.dead || life.stopped !== null) return;
    this.#note(`controller ${controller.fence} is stopped`);
    life.stopped = new Promise((resolve) => {
      life.resume = resolve;
    });
    this.#time.after(this.#chance.int(500, 20_000), () => this.resume(controller));
  }

  resume({ fence, life }: Controller): void {
    if (life.stopped === null) return;
    this.#note(`controller ${fence} goes on`);
    life.stopped = null;
    life.resume?.();
  }

  #beginSoon(): void {
    this.#time.after(this.#chance.int(50, 1_500), () => {
      if (this.acting === null) void this.#beginAlone();
    });
  }

  #clock(life: Life): Clock {
    return {
      now: () => this.#time.now + this.skew,
      sleep: async (ms, signal) => {
        await new Promise<void>((resolve) => {
          if (signal?.aborted === true) return resolve();
          const cancel = this.#time.after(ms, resolve);
          signal?.addEventListener('abort', () => {
            cancel();
            resolve();
          });
        });
        await alive(life);
      },
    };
  }

  /** How a process reaches the world: badly. */
  #through(life: ControllerLife, who: string) {
    const hooks: AdversaryHooks = {
      die: () => {
        const acting = this.all.find((each) => each.life === life);
        if (acting === undefined) this.#follow(life);
        else this.kill(acting);
      },
      stop: () => {
        const acting = this.all.find((each) => each.life === life);
        if (acting !== undefined) this.stop(acting);
      },
      note: (what) => this.#note(`${who}: ${what}`),
    };
    const at = { life, time: this.#time, chance: this.#chance, malice: () => this.malice, hooks };
    const prompt = { ...at, malice: () => withoutLate(this.malice) };
    return {
      store: (store: Store) => through(store, 'store', at),
      /** What runs on the same machine. */
      near: <T extends object>(driver: T, name: string) => through(driver, name, prompt),
    };
  }

  #engine(tenure: Pick<Tenure, 'fence' | 'holds'>, life: ControllerLife): Engine {
    const { fence } = tenure;
    const { store, runtime, jobs, edge, builder, secrets, unwritten, lastKnown } = this.#machine;
    const { store: far, near } = this.#through(life, `controller ${fence}`);
    const late = (): void => {
      this.#note(`controller ${fence} learns that it is late`);
      const mine = this.all.find((each) => each.life === life);
      if (mine !== undefined) this.kill(mine);
    };
    const permit = permitOf(() => this.#machine.fence, tenure, late);
    // The permit is asked for where the act is, behind everything that may hold it up.
    const seen = <T extends object>(driver: T, name: string): T =>
      witnessed(driver, (method) => this.#acted({ fence, what: `${name}.${method}` }));
    return createEngine({
      store: far(
        reachable(
          bound(seen(store, 'store'), fence, () => this.#machine.drawn),
          () => this.#machine.storeAway,
        ),
      ),
      runtime: near(fencedRuntime(seen(runtime, 'runtime'), permit), 'runtime'),
      jobs: near(fencedJobs(seen(jobs, 'jobs'), permit), 'jobs'),
      traffic: near(fencedTraffic(seen(edge, 'edge'), permit), 'edge'),
      builder: near(fencedBuilder(seen(builder, 'builder'), permit), 'builder'),
      migrations: noMigrations,
      secrets,
      clock: this.#clock(life),
      timetable: cronTimetable(),
      log: {
        ...quietLog,
        error: (fields, message) => this.#note(`error: ${message} ${JSON.stringify(fields).slice(0, 200)}`),
      },
      passwords: fakePasswords,
      places: fakePlaces,
      newId: () => `r${++this.#ids}`,
      digest: (text) => createHash('sha256').update(text).digest('hex'),
      fence,
      holds: () => tenure.holds(),
      onFenced: late,
      emergency: { traffic: near(edge, 'edge'), unwritten, lastKnown, awaySince: null },
    });
  }
}

/** What runs on the same machine is asked by a call or over a local socket: in order, and not after its caller is gone. */
const withoutLate = ({ rate, fates }: Malice): Malice => ({
  rate,
  fates: fates.filter((fate) => fate !== 'late' && fate !== 'twice'),
});
