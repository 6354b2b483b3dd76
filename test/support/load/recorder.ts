import { createHistogram, quantile, record, total } from '../../../src/lib/histogram.ts';
import type { Histogram } from '../../../src/lib/histogram.ts';
import type { Failure, FailureKind, Latency, LoadReport, VersionCount } from './report.ts';

const EXAMPLES_OF_A_KIND = 5;
const HISTORY = 5_000;

/** What a reply can blame on the release that sent it; a cut connection is never excused. */
const ofTheRelease: ReadonlySet<FailureKind> = new Set(['5xx', 'ws-reconnect']);

type Mutable<T> = {
  -readonly [K in keyof T]: T[K] extends Readonly<Record<string, number>> ? Record<string, number> : T[K];
};

export interface Reply {
  readonly what: string;
  readonly status: number;
  readonly version: string | undefined;
  readonly ms: number;
  readonly slow: boolean;
  /** One more attempt in an outage that was counted when it began. */
  readonly again?: boolean;
}

export interface Failed {
  readonly kind: FailureKind;
  readonly what: string;
  readonly detail: string;
  readonly version?: string | undefined;
  /** When its connection was opened, epoch ms; now, where there never was one. */
  readonly openedAt?: number;
  /** How many were lost at once, where one observation shows several. */
  readonly count?: number;
}

/** Counts what the parts of a load see. */
export class Recorder {
  readonly ws = { opened: 0, reconnects: 0, echoes: 0, unanswered: 0, closes: {} as Record<string, number> };
  readonly sse = { opened: 0, reconnects: 0, events: 0, lost: 0, duplicates: 0 };
  readonly sent = { http: 0, posts: 0, sse: 0, ws: 0 };
  skipped = 0;

  readonly #startedAt = Date.now();
  readonly #expectedBad: ReadonlySet<string>;
  readonly #failures: Partial<Record<FailureKind, number>> = {};
  readonly #examples: Failure[] = [];
  readonly #history: Failure[] = [];
  readonly #badRelease: Record<string, number> = {};
  readonly #byStatus: Record<string, number> = {};
  readonly #byVersion: Record<string, Mutable<VersionCount>> = {};
  readonly #latency = createHistogram();
  readonly #latencyByKind: Record<string, Histogram> = {};
  readonly #lateness = createHistogram();
  readonly #timeline = new Map<number, { answered: number; failed: number; versions: Record<string, number> }>();
  #failed = 0;

  constructor(expectBadVersions: readonly string[]) {
    this.#expectedBad = new Set(expectBadVersions);
  }

  late(ms: number): void {
    record(this.#lateness, ms);
  }

  /** Counts a whole reply; a 5xx is a failure. */
  reply({ what, status, version, ms, slow, again = false }: Reply): void {
    const now = Date.now();
    increment(this.#byStatus, String(status));
    const second = this.#second(now);
    second.answered += 1;
    increment(second.versions, version ?? 'none');
    if (version !== undefined) {
      const count = (this.#byVersion[version] ??= { requests: 0, status5xx: 0, firstAt: now, lastAt: now });
      count.requests += 1;
      count.lastAt = now;
      if (status >= 500) count.status5xx += 1;
    }
    if (!slow) record(this.#latency, ms);
    record((this.#latencyByKind[what] ??= createHistogram()), ms);
    if (status >= 500 && !again) this.fail({ kind: '5xx', what, detail: `status ${status}`, version });
  }

  /** Counts a failure; what a release that is bad on purpose answered itself is counted apart. */
  fail({ kind, what, detail, version, count = 1, openedAt = Date.now() }: Failed): void {
    if (version !== undefined && this.#expectedBad.has(version) && ofTheRelease.has(kind)) {
      this.#badRelease[version] = (this.#badRelease[version] ?? 0) + count;
      return;
    }
    const at = Date.now();
    this.#failed += count;
    this.#second(at).failed += count;
    const before = this.#failures[kind] ?? 0;
    this.#failures[kind] = before + count;
    const failure = { at, openedAt, kind, what, detail, ...(version === undefined ? {} : { version }) };
    if (before < EXAMPLES_OF_A_KIND) this.#examples.push(failure);
    if (this.#history.length < HISTORY) this.#history.push(failure);
  }

  report(): LoadReport {
    return {
      startedAt: this.#startedAt,
      endedAt: Date.now(),
      requests: this.sent.http + this.sent.sse + this.sent.ws,
      sent: { ...this.sent },
      failed: this.#failed,
      failures: { ...this.#failures },
      examples: [...this.#examples],
      history: [...this.#history],
      badRelease: { ...this.#badRelease },
      byStatus: { ...this.#byStatus },
      byVersion: structuredClone(this.#byVersion),
      latency: latencyOf(this.#latency),
      latencyByKind: Object.fromEntries(Object.entries(this.#latencyByKind).map(([k, h]) => [k, latencyOf(h)])),
      lateness: latencyOf(this.#lateness),
      skipped: this.skipped,
      ws: structuredClone(this.ws),
      sse: { ...this.sse },
      timeline: [...this.#timeline].map(([second, counts]) => ({ second, ...structuredClone(counts) })),
    };
  }

  #second(at: number) {
    const second = Math.floor(at / 1000);
    let counts = this.#timeline.get(second);
    if (!counts) this.#timeline.set(second, (counts = { answered: 0, failed: 0, versions: {} }));
    return counts;
  }
}

export function increment(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function latencyOf(histogram: Histogram): Latency {
  const at = (q: number) => Math.round((quantile(histogram, q)?.estimate ?? 0) * 100) / 100;
  return { requests: total(histogram), p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
