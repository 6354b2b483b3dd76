import { Instance, type InstanceSpec } from './instance.ts';

export interface PoolLimits {
  /** Instances. */
  least: number;
  most: number;
  /** Requests that one instance takes at once. */
  concurrency: number;
  /** How long an instance above `least` stays without requests, ms. */
  idleMs: number;
  /** How long a request waits for an instance, ms; longer where a start usually takes long. */
  waitMs: number;
}

/** A request waits for so many usual starts, if that is longer than it waits anyway. As on Cloud Run. */
const STARTS_WAITED = 3.5;

/** Nobody is there for a request, and nobody comes in time. */
export class NoInstance extends Error {}

/** The instances of one revision: as many as its requests need, within limits. */
export class Pool {
  readonly #spec: () => Promise<InstanceSpec>;
  #limits: PoolLimits;
  readonly #instances = new Set<Instance>();
  readonly #waiting: ((instance: Instance | Error) => void)[] = [];
  readonly #stop = new AbortController();
  readonly #starting = new Set<Promise<unknown>>();
  /** Instances that get no requests any more, and still have some. */
  readonly #leaving = new Set<Instance>();
  /** Instances that were told to end. */
  readonly #ending = new Set<Promise<void>>();
  /** Of instances that came up: how many, and how long that took in all, ms. */
  readonly #starts = { count: 0, ms: 0 };
  #quiet: (() => void) | undefined;
  #sweep: NodeJS.Timeout | undefined;

  /** `spec` is asked for each start: secrets are resolved then. It may reject with a StartFailure. */
  constructor(spec: () => Promise<InstanceSpec>, limits: PoolLimits) {
    this.#spec = spec;
    this.#limits = limits;
  }

  get size(): number {
    return this.#instances.size;
  }

  /** Starts one, if there is none; rejects with the StartFailure. */
  async warm(): Promise<void> {
    if (this.#instances.size === 0) await this.#start();
    this.#fill();
    this.#watch();
  }

  limit(limits: PoolLimits): void {
    this.#limits = limits;
    this.#fill();
    this.#watch();
  }

  /** An instance with room, started if there is none; the one wished for (by the beginning of its id) if it is among them. Give it back by `release`. */
  async acquire(wish?: string): Promise<Instance> {
    const open = [...this.#instances].filter(({ alive, busy }) => alive && busy < this.#limits.concurrency);
    const found =
      (wish === undefined ? undefined : open.find(({ id }) => id.startsWith(wish))) ??
      open.toSorted((a, b) => a.busy - b.busy)[0];
    if (found !== undefined) return taken(found);
    if (this.#stop.signal.aborted) throw new NoInstance('the revision is being stopped');
    const waiting = this.#wait();
    const coming = this.#starting.size * this.#limits.concurrency;
    if (this.#waiting.length > coming && this.#instances.size + this.#starting.size < this.#limits.most)
      void this.#start().catch(() => {});
    return waiting;
  }

  release(instance: Instance): void {
    instance.busy -= 1;
    instance.lastUsed = performance.now();
    this.#letGo(instance);
    this.#hand();
    this.#watch();
    this.#tell();
  }

  /** Gives one back that takes no connections: it gets no request any more. */
  discard(instance: Instance): void {
    instance.busy -= 1;
    if (this.#instances.has(instance)) this.#end(instance);
    else this.#letGo(instance);
    this.#fill();
    this.#tell();
  }

  /** Ends all instances once what was asked of them, or waits for one, is answered. Nobody may ask for more. */
  async retire(): Promise<void> {
    this.#limits = { ...this.#limits, least: 0 };
    if (this.#isBusy()) await new Promise<void>((resolve) => (this.#quiet = resolve));
    await this.stop();
  }

  /** Ends all instances now, whatever they are doing. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#sweep);
    this.#refuse(new NoInstance('the revision is being stopped'));
    this.#quiet?.();
    await Promise.allSettled(this.#starting);
    for (const instance of [...this.#instances, ...this.#leaving]) this.#sendAway(instance);
    await Promise.all(this.#ending);
  }

  #isBusy(): boolean {
    return this.#waiting.length > 0 || [...this.#instances, ...this.#leaving].some(({ busy }) => busy > 0);
  }

  #tell(): void {
    if (this.#quiet !== undefined && !this.#isBusy()) this.#quiet();
  }

  #wait(): Promise<Instance> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = this.#waiting.indexOf(settle);
        if (at !== -1) this.#waiting.splice(at, 1);
        reject(new NoInstance('no instance was available in time'));
        this.#tell();
      }, this.#patience());
      const settle = (outcome: Instance | Error) => {
        clearTimeout(timer);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#waiting.push(settle);
    });
  }

  #patience(): number {
    const { count, ms } = this.#starts;
    return Math.max(this.#limits.waitMs, count === 0 ? 0 : (STARTS_WAITED * ms) / count);
  }

  #refuse(error: Error): void {
    for (const settle of this.#waiting.splice(0)) settle(error);
    this.#tell();
  }

  /** Gives instances with room to those that wait. */
  #hand(): void {
    for (const instance of this.#instances) {
      while (instance.alive && instance.busy < this.#limits.concurrency && this.#waiting.length > 0)
        this.#waiting.shift()?.(taken(instance));
    }
  }

  async #start(): Promise<void> {
    const begun = performance.now();
    const starting = (async () => {
      const instance = await Instance.start(await this.#spec(), this.#stop.signal);
      if (this.#stop.signal.aborted) return instance.stop();
      this.#starts.count += 1;
      this.#starts.ms += performance.now() - begun;
      this.#instances.add(instance);
      void instance.exited.then(() => {
        this.#instances.delete(instance);
        this.#fill();
      });
      this.#hand();
      this.#watch();
    })();
    this.#starting.add(starting);
    try {
      await starting;
      this.#starting.delete(starting);
    } catch (error) {
      this.#starting.delete(starting);
      // Only when nobody else can take what waits, it is refused for it.
      if (this.#instances.size === 0 && this.#starting.size === 0) this.#refuse(error as Error);
      throw error;
    }
  }

  /** It gets no requests any more, and ends when it has answered those that it has. */
  #end(instance: Instance): void {
    this.#instances.delete(instance);
    this.#leaving.add(instance);
    this.#letGo(instance);
  }

  #letGo(instance: Instance): void {
    if (instance.busy === 0 && this.#leaving.has(instance)) this.#sendAway(instance);
  }

  #sendAway(instance: Instance): void {
    this.#instances.delete(instance);
    this.#leaving.delete(instance);
    const ending = instance.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Brings the instances up to the least that is wanted. One that fails is tried again when somebody asks. */
  #fill(): void {
    if (this.#stop.signal.aborted) return;
    const missing = this.#limits.least - this.#instances.size - this.#starting.size;
    for (let each = 0; each < missing; each++) void this.#start().catch(() => {});
  }

  /** Looks for idle instances when the first may be one. */
  #watch(): void {
    if (this.#sweep !== undefined || this.#stop.signal.aborted || this.#instances.size <= this.#limits.least) return;
    const oldest = Math.min(...[...this.#instances].map(({ lastUsed }) => lastUsed));
    const wait = Math.max(20, oldest + this.#limits.idleMs - performance.now());
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      const idle = [...this.#instances].filter(
        ({ busy, lastUsed }) => busy === 0 && performance.now() - lastUsed >= this.#limits.idleMs,
      );
      for (const instance of idle.slice(0, Math.max(0, this.#instances.size - this.#limits.least))) this.#end(instance);
      this.#watch();
    }, wait);
  }
}

function taken(instance: Instance): Instance {
  instance.busy += 1;
  instance.lastUsed = performance.now();
  return instance;
}
