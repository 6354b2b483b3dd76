import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import type { RequestKind } from '../../../src/domain/rollout/rollout.ts';
import { deploy } from '../../../src/engine/operations/deploy.ts';
import { ask } from '../../../src/engine/emergency/ask.ts';
import { down } from '../../../src/engine/operations/down.ts';
import { rollback } from '../../../src/engine/operations/rollback.ts';
import { project } from '../engine/world.ts';
import { ANGRY, CALM } from './adversary.ts';
import { BadReleases } from './bad-releases.ts';
import { BrokenRule } from './broken-rule.ts';
import { Controllers } from './controllers.ts';
import { type Machine, newMachine } from './machine.ts';
import { Overseer } from './overseer.ts';
import { random, type Random } from './random.ts';
import { checkSettled, checkStored, isOver, truthOf } from './rules.ts';
import { drawServices } from './services.ts';
import { VirtualTime } from './time.ts';

const START = 1_700_000_000_000;
/** More of them make longer histories; what is found by more histories is found sooner by shorter ones. */
const EVENTS = Number(process.env['SIMULATION_EVENTS'] ?? 10);
const VISITS = 400;
/** What people ask for, as often as it stands here. */
const REQUESTS: RequestKind[] = [
  'approve',
  'approve',
  'approve',
  'promote',
  'pause',
  'resume',
  'resume',
  'abort',
  'rollback',
];
/** Everything that waits for somebody gives up by then. */
/** Share of histories with two or three controllers, of which one acts by a lease. */
const SEVERAL = Number(process.env['SIMULATION_SEVERAL'] ?? 0.3);
const QUIET_MS = 400_000;
const MOST_STEPS = 30_000;

export interface Played {
  seed: number;
  /** What happened, in order; each line with the simulated second. */
  story: string[];
  broken: Error | null;
  rollouts: number;
  promoted: number;
  takenBack: number;
  contracted: number;
}

/** Plays one history. The same seed plays the same one. `several` is how likely there are several controllers. */
export async function play(seed: number, several = SEVERAL): Promise<Played> {
  const history = new History(seed, several);
  let broken: Error | null = null;
  try {
    await history.run();
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
  }
  history.end();
  const rollouts = await history.machine.store.rollouts({});
  return {
    seed,
    story: history.story,
    broken,
    rollouts: rollouts.length,
    promoted: rollouts.filter((each) => each.promotedAt !== null).length,
    takenBack: rollouts.filter((each) => each.end !== null && each.end !== 'complete').length,
    contracted: rollouts.filter((each) => Object.values(each.contract).includes('done')).length,
  };
}

class History {
  readonly story: string[] = [];
  readonly machine: Machine;
  readonly #chance: Random;
  readonly #time = new VirtualTime(START);
  readonly #controllers: Controllers;
  readonly #services: ServiceConfig[];
  readonly #environment: { approve: { people: number } };
  readonly #overseer: Overseer;
  readonly #bad: BadReleases;
  #visitors = VISITS;
  #version = 0;

  constructor(seed: number, likely: number) {
    this.#chance = random(seed);
    this.machine = newMachine(this.#time, this.#chance);
    this.#services = drawServices(this.#chance);
    this.#environment = { approve: { people: this.#chance.chance(0.15) ? 1 : 0 } };
    this.#overseer = new Overseer(this.machine, this.#time, (what) => this.#note(what));
    this.#bad = new BadReleases(this.machine);
    const several = this.#chance.chance(likely) ? this.#chance.int(2, 3) : 1;
    this.#controllers = new Controllers(this.machine, {
      time: this.#time,
      chance: this.#chance,
      malice: CALM,
      several,
      note: (what) => this.#note(what),
      acted: (act) => this.#overseer.acted(act),
    });
    this.#overseer.leases = several > 1;
  }

  async run(): Promise<void> {
    await this.#controllers.begin();
    this.#do('first deploy', (by) => this.#deploy(by));
    await this.#pass(20_000);
    this.machine.kind = false;
    this.#controllers.malice = { ...ANGRY, rate: this.#chance.pick([0, 0.003, 0.01, 0.03]) };
    for (let event = 0; event < EVENTS; event++) {
      this.#event();
      await this.#pass(this.#chance.int(0, this.#chance.chance(0.35) ? 30_000 : 4_000));
    }
    this.#calm();
    // What was held up meanwhile may begin something yet.
    await this.#pass(30_000);
    for (let waited = 0; waited < QUIET_MS && !(await this.#over()); waited += 5_000) await this.#pass(5_000);
    await this.#pass(10_000);
    await checkSettled(this.machine);
  }

  end(): void {
    this.#controllers.end();
  }

  #calm(): void {
    this.#note('from here on nothing goes wrong');
    this.#controllers.malice = CALM;
    this.machine.diskFull = false;
    this.machine.storeAway = false;
    this.machine.edge.down = false;
    this.#visitors = VISITS;
    this.machine.confused.clear();
    for (const each of this.#controllers.all) this.#controllers.resume(each);
    this.#controllers.goOn();
  }

  async #over(): Promise<boolean> {
    const { rollouts, up } = await truthOf(this.machine);
    return rollouts.every((each) => isOver(each, up));
  }

  #note(what: string): void {
    this.story.push(`${((this.#time.now - START) / 1000).toFixed(2).padStart(8)}  ${what}`);
  }

  /** Lets time go on, with visitors, and looks at the rules after everything that happens. */
  async #pass(ms: number): Promise<void> {
    const until = this.#time.now + ms;
    let visited = this.#time.now;
    for (let steps = 0; await this.#time.step(until); steps++) {
      this.#mustHold();
      if (steps > MOST_STEPS) throw new BrokenRule('somebody turns in a circle', { seconds: ms / 1000 });
      if (this.#time.now - visited < 500) continue;
      visited = this.#time.now;
      this.machine.edge.visit(this.#visitors, (release) => (this.machine.worth(release) === 'faulty' ? 0.3 : 0.001));
      await this.#bad.look(this.#time.now, this.#controllers.malice.rate === 0 && this.#visitors > 0);
    }
    this.#mustHold();
    checkStored(await truthOf(this.machine));
  }

  #mustHold(): void {
    if (this.#overseer.broken !== null) throw this.#overseer.broken;
  }

  #event(): void {
    const { machine } = this;
    const chance = this.#chance;
    const roll = chance.next();
    if (roll < 0.25) this.#do('deploy', (by) => this.#deploy(by));
    else if (roll < 0.31) this.#do('rollback', (by) => this.#rollback(by));
    else if (roll < 0.53) this.#request(chance.pick(REQUESTS));
    else if (roll < 0.6) this.#crashInstance();
    else if (roll < 0.66) this.#confuse();
    else if (roll < 0.72) {
      machine.edge.down = !machine.edge.down;
      if (!machine.edge.down && chance.chance(0.5)) machine.edge.crash();
      this.#note(`the edge is ${machine.edge.down ? 'away' : 'back'}`);
    } else if (roll < 0.735) {
      this.#visitors = this.#visitors === 0 ? VISITS : 0;
      machine.edge.busy = chance.pick([0, 4, 12, 40]);
      this.#note(this.#visitors === 0 ? 'nobody visits' : 'visitors come again');
    } else if (roll < 0.76) {
      machine.storeAway = !machine.storeAway;
      this.#note(`the store is ${machine.storeAway ? 'away' : 'back'}`);
      if (machine.storeAway && chance.chance(0.7))
        this.#time.after(chance.int(0, 15_000), () => this.#request(chance.pick(['abort', 'rollback'])));
    } else if (roll < 0.795) {
      machine.diskFull = !machine.diskFull;
      this.#note(`the disk is ${machine.diskFull ? 'full' : 'free again'}`);
    } else if (roll < 0.82) {
      this.#overseer.skewed = true;
      this.#bad.trouble(this.#time.now);
      this.#controllers.skew += chance.pick([-3_600_000, -5_000, 5_000, 60_000]);
      this.#note(`the clock is set to be off by ${this.#controllers.skew} ms`);
    } else if (roll < 0.84) this.#do('down or up', (by) => this.#downUp(by));
    else if (roll < 0.92) {
      const acting = this.#controllers.acting;
      this.#bad.trouble(this.#time.now);
      if (acting !== null) this.#controllers.kill(acting);
    } else {
      const acting = this.#controllers.acting;
      this.#bad.trouble(this.#time.now);
      if (acting !== null) this.#controllers.stop(acting);
    }
  }

  #do(what: string, act: (by: string) => Promise<unknown>): void {
    const by = this.#chance.pick(['ann', 'ben']);
    this.#note(`${by}: ${what}`);
    act(by).then(
      () => undefined,
      (error: unknown) => this.#note(`${what} was refused: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  async #deploy(by: string): Promise<void> {
    const acting = this.#controllers.acting;
    if (acting === null) return;
    const chance = this.#chance;
    const version = String(++this.#version);
    const all = this.#services.map((each) => ({ ...each, env: { VERSION: [version], ...each.env } }));
    await deploy(acting.engine, {
      project: project(all, this.#environment),
      services: this.#version === 1 || chance.chance(0.6) ? null : [chance.pick(all).name],
      onlyChanged: false,
      label: null,
      replace: chance.chance(0.15),
      keepFailed: chance.chance(0.1) ? true : null,
      by,
    });
  }

  async #rollback(by: string): Promise<void> {
    const acting = this.#controllers.acting;
    if (acting === null) return;
    const all = this.#chance.chance(0.5);
    await rollback(acting.engine, {
      project: 'shop',
      environment: 'production',
      service: all ? null : this.#chance.pick(this.#services).name,
      all,
      to: null,
      comment: null,
      by,
    });
  }

  async #downUp(by: string): Promise<void> {
    const acting = this.#controllers.acting;
    if (acting === null) return;
    this.#overseer.downAt = Infinity;
    await down(acting.engine, { project: 'shop', environment: 'production', by });
    this.#overseer.downAt = this.#time.now;
    this.#time.after(this.#chance.int(500, 5_000), () => this.#do('up', (again) => this.#deploy(again)));
  }

  #request(kind: RequestKind): void {
    this.#do(kind, async (by) => {
      if (this.machine.storeAway) return this.#requestWithoutStore(kind, by);
      const { rollouts } = await truthOf(this.machine);
      const open = rollouts.find((each) => each.end === null);
      if (open === undefined) return;
      const at = this.#time.now + this.#controllers.skew;
      const recorded = await this.machine.store.addRequest({
        rollout: open.id,
        kind,
        by,
        at,
        comment: null,
        force: this.#chance.chance(0.2),
      });
      this.#overseer.recorded.set(`${open.id} ${recorded.seq}`, this.#time.now);
      this.#controllers.acting?.engine.wake(open);
    });
  }

  /** As the API does it: what takes back is carried out at the edge, everything else is refused. */
  async #requestWithoutStore(kind: RequestKind, by: string): Promise<void> {
    const engine = this.#controllers.acting?.engine;
    if (engine === undefined) return;
    const open = (await engine.reads.rollouts({})).find((each) => each.end === null);
    if (open === undefined) return;
    const asked = await ask(engine, open, { kind, by, comment: null, force: this.#chance.chance(0.2) });
    if (!asked.written && !this.machine.edge.down) this.#overseer.takenBack(open);
  }

  #crashInstance(): void {
    const { runtime } = this.machine;
    void runtime.observe({ project: 'shop', environment: 'production' }).then((all) => {
      const running = all.filter((each) => each.state === 'running');
      if (running.length === 0) return;
      const { id } = this.#chance.pick(running);
      this.#note(`${id} crashes`);
      runtime.crash(id);
    });
  }

  #confuse(): void {
    const { runtime, confused } = this.machine;
    if (confused.size > 0) {
      confused.clear();
      this.#note('all instances answer again');
      return;
    }
    void runtime.observe({ project: 'shop', environment: 'production' }).then((all) => {
      const running = all.filter((each) => each.state === 'running');
      if (running.length === 0) return;
      const { id } = this.#chance.pick(running);
      this.#note(`${id} answers no more`);
      confused.add(id);
    });
  }
}
