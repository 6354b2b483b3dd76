import { fromCounts, subtract, toCounts } from '../lib/histogram.ts';
import type { EdgeReleaseStats } from '../domain/traffic/protocol.ts';
import { FORMER_RELEASES } from '../domain/traffic/stats.ts';
import type { EdgeSample, InstanceSample, Telemetry } from '../ports/store.ts';
import { isAway } from '../domain/project/is-away.ts';
import type { EngineDeps } from './deps.ts';

export const TELEMETRY_EVERY_MS = 10_000;

/** Turns cumulative counters into what happened within each interval, and writes it to the telemetry file. */
export class TelemetryRecorder {
  readonly #deps: Pick<EngineDeps, 'store' | 'runtime' | 'traffic' | 'clock' | 'log'>;
  readonly #telemetry: Telemetry;
  #epoch = '';
  #edge = new Map<string, EdgeReleaseStats>();
  #cpu = new Map<string, { at: number; cpuMs: number }>();

  constructor(deps: Pick<EngineDeps, 'store' | 'runtime' | 'traffic' | 'clock' | 'log'>, telemetry: Telemetry) {
    this.#deps = deps;
    this.#telemetry = telemetry;
  }

  /** One interval. Errors are logged: telemetry that cannot be written stops nothing. */
  async sample(): Promise<void> {
    try {
      const at = this.#deps.clock.now();
      const [edge, instances] = await Promise.all([this.#sampleEdge(at), this.#sampleInstances(at)]);
      if (edge.length > 0 || instances.length > 0) await this.#telemetry.record({ edge, instances });
    } catch (error) {
      this.#deps.log.warn({}, `telemetry was not recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #sampleEdge(at: number): Promise<EdgeSample[]> {
    const stats = await this.#deps.traffic.stats().catch(() => null);
    if (stats === null) return [];
    // The first look, or an edge that began again from zero: what it has counted so far has no interval.
    const fresh = stats.epoch !== this.#epoch;
    const before = fresh && this.#epoch === '' ? null : fresh ? new Map<string, EdgeReleaseStats>() : this.#edge;
    this.#epoch = stats.epoch;
    this.#edge = new Map(stats.releases.map((each) => [`${each.key} ${each.release}`, each]));
    if (before === null) return [];
    return stats.releases.flatMap((now) => {
      // It grows when a release joins it, not when somebody asks.
      if (now.release === FORMER_RELEASES) return [];
      const then = before.get(`${now.key} ${now.release}`);
      const requests = now.requests - (then?.requests ?? 0);
      if (requests <= 0) return [];
      const ttfb = fromCounts(now.ttfb);
      if (then !== undefined) subtract(ttfb, fromCounts(then.ttfb));
      return [
        {
          at,
          key: now.key,
          release: now.release,
          requests,
          bad: Math.max(0, now.bad - (then?.bad ?? 0)),
          classes: now.classes.map((count, index) => Math.max(0, count - (then?.classes[index] ?? 0))),
          ttfb: toCounts(ttfb),
        },
      ];
    });
  }

  async #sampleInstances(at: number): Promise<InstanceSample[]> {
    const samples: InstanceSample[] = [];
    const seen = new Map<string, { at: number; cpuMs: number }>();
    for (const scope of await this.#deps.store.environments()) {
      // Nobody here knows what an instance in the cloud takes, and asking for those must not hold up the others.
      if (isAway(scope.config)) continue;
      for (const each of await this.#deps.runtime.observe(scope)) {
        if (each.usage === null || each.state === 'ended') continue;
        const then = this.#cpu.get(each.id);
        seen.set(each.id, { at, cpuMs: each.usage.cpuMs });
        if (then === undefined || at <= then.at) continue;
        samples.push({
          at,
          key: `${scope.project}/${scope.environment}/${each.service}`,
          instance: each.id,
          release: each.release,
          cpu: Math.max(0, each.usage.cpuMs - then.cpuMs) / (at - then.at),
          memory: each.usage.memory,
        });
      }
    }
    this.#cpu = seen;
    return samples;
  }
}
