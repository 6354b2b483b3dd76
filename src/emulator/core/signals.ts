import type { JsonObject } from '../json.ts';

/** One value of a metric at a moment. */
export interface Sample {
  project: string;
  /** Such as `run.googleapis.com/request_count`. */
  metric: string;
  /** Labels of the metric, such as `response_code_class`. */
  labels: Record<string, string>;
  /** Such as `cloud_run_revision`, with its labels (`service_name`, `revision_name`, `location`). */
  resource: { type: string; labels: Record<string, string> };
  /** Start and end of what it covers, ms. */
  from: number;
  to: number;
  /** A count within the interval, or every single measurement of a distribution. */
  value: number | number[];
}

/** How long samples and entries are kept, ms, and how many of each at most. */
const KEPT = 6 * 3600_000;
const MOST = 50_000;

/**
 * Metrics and log entries of what runs in the pretended cloud. They are not kept over a restart: nobody compares
 * yesterday's requests of a toy.
 */
export class Signals {
  private last: { ms: number; micros: number } | null = null;
  private samples: Sample[] = [];
  private entries: JsonObject[] = [];
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  measure(sample: Sample): void {
    this.samples.push(sample);
    if (this.samples.length > MOST || (this.samples[0]?.to ?? Infinity) < this.now() - KEPT) {
      const oldest = this.now() - KEPT;
      this.samples = this.samples.filter(({ to }) => to >= oldest).slice(-MOST);
    }
  }

  /** Samples of a project's metric that end within the interval (after `from`, up to and with `to`), oldest first. */
  measured(project: string, metric: string, from: number, to: number): Sample[] {
    return this.samples.filter(
      (sample) => sample.project === project && sample.metric === metric && sample.to > from && sample.to <= to,
    );
  }

  /** A log entry, a `LogEntry` of logging v2 with its `logName`, `resource`, `timestamp`, `insertId`. */
  log(entry: JsonObject): void {
    this.entries.push(entry);
    if (this.entries.length > MOST) this.entries = this.entries.slice(-MOST);
  }

  /** When a line was written, to the microsecond as Google has it: no two at once, so that they stay in their order. */
  moment(now: number): string {
    const micros = this.last !== null && this.last.ms === now ? Math.min(999, this.last.micros + 1) : 0;
    this.last = { ms: now, micros };
    return new Date(now).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
  }

  /** All log entries, in the order in which they came. */
  logged(): readonly JsonObject[] {
    return this.entries;
  }

  /** Forgets the entries of one log. */
  forget(logName: string): void {
    this.entries = this.entries.filter((entry) => entry['logName'] !== logName);
  }
}
