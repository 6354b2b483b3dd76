import {
  type Counted,
  countSeries,
  plus,
  REQUEST_COUNT,
  REQUEST_LATENCIES,
  type RevisionCounts,
  type TimeSeries,
} from '../../domain/cloud/run/series.ts';
import type { GoogleCalls, Place } from './run-api.ts';

export interface MonitoringOptions {
  calls: GoogleCalls;
  /** Between two points, ms; Cloud Monitoring samples once a minute. */
  periodMs: number;
  /** How long after its end an interval is complete, ms: points come late, and in any order. */
  lateMs: number;
  /** Between two looks, ms. */
  everyMs: number;
}

/** A baseline is known from its last hour. */
const REMEMBERED_MS = 3_600_000;
/** A pause may be long; what lies further back decides nothing any more. */
const LONGEST_MS = 26 * 3_600_000;
const PAGE = 10_000;
/** How long a question may take, tries included, ms; it is asked again with the next look. */
const QUESTION_MS = 5_000;

/** What was counted of all services of a place, and up to when that is complete. */
export interface Counts {
  counted: Counted;
  /** Wall time, ms. */
  until: number;
  /** Of each revision, since this controller looks: never less than before. */
  totals: ReadonlyMap<string, RevisionCounts>;
}

interface Known extends Counts {
  at: number;
  since: number;
  totals: Map<string, RevisionCounts>;
  /** Up to where `totals` reach. */
  summed: number;
}

/**
 * Requests of all services of a place, in two calls however many there are, by revision and interval, as Cloud Monitoring
 * counts them: late, and in whole minutes. An interval that may still change is not in it.
 */
export class Monitoring {
  readonly #options: MonitoringOptions;
  readonly #known = new Map<string, Known>();
  readonly #looking = new Map<string, Promise<Known>>();

  constructor(options: MonitoringOptions) {
    this.#options = options;
  }

  get periodMs(): number {
    return this.#options.periodMs;
  }

  /** From `since` on (wall time, ms) at least, and of the last hour. Throws what Google refuses with. */
  async of(place: Place, since: number | null): Promise<Counts> {
    const key = `${place.project}/${place.region}`;
    for (;;) {
      const now = Date.now();
      const from = Math.max(now - LONGEST_MS, Math.min(since ?? now, now - REMEMBERED_MS));
      const known = this.#known.get(key);
      if (known !== undefined && this.#isEnough(known, { now, from })) return known;
      const looking = this.#looking.get(key);
      if (looking === undefined) return this.#begin(key, this.#look(place, { from, now, known }));
      // Another environment's look may not reach as far back as this one's canary: evidence must not shrink by it.
      await looking;
    }
  }

  #isEnough(known: Known, { now, from }: { now: number; from: number }): boolean {
    const { everyMs } = this.#options;
    return now - known.at < everyMs && now >= known.at && known.since <= from + 2 * everyMs;
  }

  async #begin(key: string, looking: Promise<Known>): Promise<Known> {
    this.#looking.set(key, looking);
    try {
      const seen = await looking;
      this.#known.set(key, seen);
      return seen;
    } finally {
      this.#looking.delete(key);
    }
  }

  async #look(
    place: Place,
    { from, now, known }: { from: number; now: number; known: Known | undefined },
  ): Promise<Known> {
    const { periodMs, lateMs } = this.#options;
    const until = Math.floor((now - lateMs) / periodMs) * periodMs;
    const start = Math.floor(from / periodMs) * periodMs;
    const series = (
      await Promise.all(
        [REQUEST_COUNT, REQUEST_LATENCIES].map((type) => this.#series(place, type, { start, end: until })),
      )
    ).flat();
    const counted = countSeries(series, { periodMs, timeOf: (text) => Date.parse(text) });
    const totals = known?.totals ?? new Map<string, RevisionCounts>();
    const summed = known?.summed ?? 0;
    for (const [end, revisions] of counted)
      if (end > summed)
        for (const [revision, counts] of revisions) totals.set(revision, sum(totals.get(revision), counts));
    return { at: now, since: start, counted, until, totals, summed: Math.max(summed, until) };
  }

  async #series(
    { project, region }: Place,
    type: string,
    { start, end }: { start: number; end: number },
  ): Promise<TimeSeries[]> {
    const all: TimeSeries[] = [];
    let pageToken: string | undefined;
    do {
      const page: { timeSeries?: TimeSeries[]; nextPageToken?: string } = await this.#options.calls.request(
        'GET',
        `https://monitoring.googleapis.com/v3/projects/${project}/timeSeries`,
        {
          query: {
            filter:
              `metric.type = "${type}" AND resource.type = "cloud_run_revision" AND ` +
              `resource.labels.location = "${region}"`,
            'interval.startTime': new Date(start).toISOString(),
            'interval.endTime': new Date(end).toISOString(),
            ...alignment(this.#options.periodMs),
            view: 'FULL',
            pageSize: PAGE,
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          signal: AbortSignal.timeout(QUESTION_MS),
        },
      );
      all.push(...(page.timeSeries ?? []));
      pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
    } while (pageToken !== undefined);
    return all;
  }
}

/** Periods are counted back from the end of what is asked for, which lies on one. Shorter ones it does not align. */
const alignment = (periodMs: number): Record<string, string> =>
  periodMs < 60_000
    ? {}
    : {
        'aggregation.alignmentPeriod': `${Math.round(periodMs / 1000)}s`,
        'aggregation.perSeriesAligner': 'ALIGN_DELTA',
      };

const sum = (before: RevisionCounts | undefined, counts: RevisionCounts): RevisionCounts => ({
  requests: (before?.requests ?? 0) + counts.requests,
  classes: counts.classes.map((each, index) => (before?.classes[index] ?? 0) + each),
  times: plus(before?.times ?? [], counts.times),
});
