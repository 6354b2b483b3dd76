import { createHash } from 'node:crypto';
import { cronTimetable } from '../../../src/drivers/schedule/cron-timetable.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { fakePlaces, noMigrations } from '../engine/world.ts';
import { type AdversaryHooks, alive, type Life, type Malice, through } from './adversary.ts';
import type { Machine } from './machine.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

export interface Controller {
  readonly fence: number;
  readonly engine: Engine;
  readonly life: Life & { resume: (() => void) | null };
}

/** The controllers of a history: one that acts, and perhaps one that was stopped and does not know yet that it is late. */
export class Controllers {
  readonly all: Controller[] = [];
  readonly #machine: Machine;
  readonly #time: VirtualTime;
  readonly #chance: Random;
  readonly #note: (what: string) => void;
  /** Another one takes over while one is stopped, as with a lease; else it is waited for. */
  readonly #several: boolean;
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
      several: boolean;
      note: (what: string) => void;
    },
  ) {
    this.#machine = machine;
    this.#time = options.time;
    this.#chance = options.chance;
    this.#note = options.note;
    this.#several = options.several;
    this.malice = options.malice;
  }

  /** The newest that can act, if any. */
  get acting(): Controller | null {
    return this.all.findLast(({ life }) => !life.dead && life.stopped === null) ?? null;
  }

  async begin(): Promise<void> {
    if (this.#beginning) return;
    this.#beginning = true;
    try {
      const fence = await this.#machine.store.nextFence();
      const life: Controller['life'] = { dead: false, stopped: null, resume: null };
      const controller: Controller = { fence, life, engine: this.#engine(fence, life) };
      this.all.push(controller);
      this.#note(`controller ${fence} begins`);
      void controller.engine.start().catch(() => this.kill(controller));
    } catch {
      // A full disk: its keeper tries again.
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
    this.#beginSoon();
  }

  stop(controller: Controller): void {
    const { life } = controller;
    if (life.dead || life.stopped !== null) return;
    this.#note(`controller ${controller.fence} is stopped`);
    life.stopped = new Promise((resolve) => {
      life.resume = resolve;
    });
    if (this.#several && this.#chance.chance(0.7)) this.#beginSoon();
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
      if (this.acting === null) void this.begin();
    });
  }

  #of(life: Life): Controller {
    const controller = this.all.find((each) => each.life === life);
    if (controller === undefined) throw new Error('a life without a controller');
    return controller;
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

  #engine(fence: number, life: Life): Engine {
    const { store, runtime, jobs, edge, builder, secrets } = this.#machine;
    const hooks: AdversaryHooks = {
      die: (each) => this.kill(this.#of(each)),
      stop: (each) => this.stop(this.#of(each)),
      note: (what) => this.#note(`controller ${fence}: ${what}`),
    };
    const at = { life, time: this.#time, chance: this.#chance, malice: () => this.malice, hooks };
    const prompt = { ...at, malice: () => withoutLate(this.malice) };
    const quiet = (): void => undefined;
    return createEngine({
      store: through(store, 'store', at),
      runtime: through(runtime, 'runtime', prompt),
      jobs: through(jobs, 'jobs', prompt),
      traffic: through(edge, 'edge', prompt),
      builder: through(builder, 'builder', prompt),
      migrations: noMigrations,
      secrets,
      clock: this.#clock(life),
      timetable: cronTimetable(),
      log: {
        info: quiet,
        warn: quiet,
        error: (fields, message) => this.#note(`error: ${message} ${JSON.stringify(fields).slice(0, 200)}`),
      },
      places: fakePlaces,
      newId: () => `r${++this.#ids}`,
      digest: (text) => createHash('sha256').update(text).digest('hex'),
      fence,
      onFenced: () => {
        this.#note(`controller ${fence} learns that it is late`);
        this.kill(this.#of(life));
      },
    });
  }
}

/** What runs on the same machine is asked by a call or over a local socket: in order, and not after its caller is gone. */
const withoutLate = ({ rate, fates }: Malice): Malice => ({
  rate,
  fates: fates.filter((fate) => fate !== 'late' && fate !== 'twice'),
});
