import type { World } from '../core/world.ts';
import { revisionResource } from './logs.ts';
import { placeOf } from './names.ts';
import type { RunOptions } from './options.ts';
import type { Revision } from './shapes.ts';

interface Cell {
  revision: Revision;
  code: number;
  from: number;
  latencies: number[];
}

/**
 * Counts requests by revision and response, in intervals that begin with the minute, and hands each to Cloud Monitoring
 * when it is over and as late as there.
 */
export class Metrics {
  readonly #world: World;
  readonly #step: number;
  readonly #delay: number;
  readonly #cells = new Map<string, Cell>();
  #timer: NodeJS.Timeout | undefined;

  constructor(world: World, { metricsStepMs, metricsDelayMs }: RunOptions) {
    this.#world = world;
    this.#step = metricsStepMs;
    this.#delay = metricsDelayMs;
  }

  count(revision: Revision, code: number, latencyMs: number): void {
    const now = this.#world.now();
    const from = now - (now % this.#step);
    const key = `${from} ${code} ${revision.name}`;
    const cell = this.#cells.get(key) ?? { revision, code, from, latencies: [] };
    cell.latencies.push(latencyMs);
    this.#cells.set(key, cell);
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cells.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const first = Math.min(...[...this.#cells.values()].map(({ from }) => from));
    if (!Number.isFinite(first)) return;
    const wait = Math.max(1, first + this.#step + this.#delay - this.#world.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#hand();
      this.#arm();
    }, wait);
    this.#timer.unref();
  }

  #hand(): void {
    const due = this.#world.now() - this.#step - this.#delay;
    for (const [key, cell] of this.#cells) {
      if (cell.from > due) continue;
      this.#cells.delete(key);
      const { revision, code, from, latencies } = cell;
      const sample = {
        project: placeOf(revision.name).project,
        labels: { response_code: String(code), response_code_class: `${Math.floor(code / 100)}xx` },
        resource: revisionResource(revision),
        from,
        to: from + this.#step,
      };
      const metric = (name: string) => `run.googleapis.com/${name}`;
      this.#world.signals.measure({ ...sample, metric: metric('request_count'), value: latencies.length });
      this.#world.signals.measure({ ...sample, metric: metric('request_latencies'), value: latencies });
    }
  }
}
