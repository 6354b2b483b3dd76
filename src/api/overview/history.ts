import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  errorRateOf,
  figuresOf,
  type Interval,
  noTraffic,
  addInterval,
  totalsOf,
} from '../../domain/overview/traffic.ts';
import { toCounts } from '../../lib/histogram.ts';
import type { EdgeSample, Telemetry } from '../../ports/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A piece of the line over a day. */
export const PIECE_MS = 30 * MINUTE;
export const HOUR_POINTS = 60;
export const DAY_POINTS = DAY / PIECE_MS;

/** Samples are written by then: what is older does not change any more. */
const SETTLED_MS = 2 * MINUTE;
/** Minutes are kept for the hour that is shown, and for the whole of the piece that they belong to. */
const MINUTES_KEPT_MS = HOUR + 10 * MINUTE;
/** Read at a time; between two reads others get their turn. */
const CHUNK_MS = 2 * HOUR;

/** The last day of one service. Times are begins, in ms. */
export interface ServiceHistory {
  /** Of the last hour; a minute without requests is not in it. */
  minutes: Map<number, Interval>;
  /** Of the last day. */
  pieces: Map<number, { requests: number; bad: number; p95Ms: number | null }>;
  /** Minutes of the last hour in which any sample was taken of it. */
  watched: Set<number>;
  /** Of the day, what is still to be read; null: nothing. */
  missing: { from: number; to: number } | null;
}

interface Kept extends ServiceHistory {
  /** Up to where everything is final. */
  through: number;
}

const begun = (): Kept => ({ minutes: new Map(), pieces: new Map(), watched: new Set(), through: 0, missing: null });

/**
 * What telemetry has of the last day, kept in memory while somebody looks at it: a day of forty services is sixty thousand
 * rows, of which all but the last few are the same as a moment ago. The last hour is there at once; the rest of a day that
 * nobody has looked at yet is read behind it, a little at a time.
 */
export class History {
  readonly #telemetry: Pick<Telemetry, 'edge' | 'instances'>;
  readonly #onFilled: () => void;
  readonly #known = new Map<string, Kept>();
  #filling: Promise<void> | null = null;

  /** @param onFilled called when everything that was missing was read */
  constructor(telemetry: Pick<Telemetry, 'edge' | 'instances'>, onFilled: () => void = () => {}) {
    this.#telemetry = telemetry;
    this.#onFilled = onFilled;
  }

  /** @param key `project/environment/service` */
  async of(key: string, now: number): Promise<ServiceHistory> {
    const known = this.#known.get(key) ?? begun();
    this.#known.set(key, known);
    const oldest = oldestPiece(now);
    // The minutes of its piece may be forgotten, and a clock that was set back has other minutes.
    const whole = known.through < now - HOUR || known.through > now;
    const from = whole ? floor(now - HOUR, PIECE_MS) : known.through;
    if (whole) {
      const since = Math.max(oldest, floor(Math.min(known.missing?.from ?? known.through, now), PIECE_MS));
      known.missing = since < from ? { from: since, to: from } : null;
    }
    const watchedFrom = Math.max(from, floor(now, MINUTE) - HOUR);
    const [edge, instances] = await Promise.all([
      this.#telemetry.edge({ key, from, to: now + 1, resolution: '1m' }),
      this.#telemetry.instances({ key, from: watchedFrom, to: now + 1, resolution: '1m' }),
    ]);
    for (const at of known.minutes.keys()) if (at >= from) known.minutes.delete(at);
    for (const [at, interval] of byMinute(edge)) known.minutes.set(at, interval);
    for (const { at } of [...edge, ...instances]) known.watched.add(at);
    for (let piece = floor(from, PIECE_MS); piece <= now; piece += PIECE_MS) sumUp(known.minutes, known.pieces, piece);
    const forget = (times: Map<number, unknown> | Set<number>, before: number): void => {
      for (const at of times.keys()) if (at < before || at > now) times.delete(at);
    };
    forget(known.minutes, now - MINUTES_KEPT_MS);
    forget(known.watched, now - MINUTES_KEPT_MS);
    forget(known.pieces, oldest);
    known.through = floor(now, MINUTE) - SETTLED_MS;
    if (known.missing !== null) this.#filling ??= this.#fill();
    return known;
  }

  /** Resolves when nothing is missing, or nothing more can be read. */
  async settled(): Promise<void> {
    while (this.#filling !== null) await this.#filling;
  }

  async #fill(): Promise<void> {
    // Whoever asked is answered first.
    await nextTurn();
    try {
      for (let next = this.#incomplete(); next !== undefined; next = this.#incomplete()) await this.#readMore(...next);
    } catch {
      // It is tried again when somebody looks again.
      return;
    } finally {
      this.#filling = null;
    }
    this.#onFilled();
  }

  #incomplete(): [string, Kept] | undefined {
    return [...this.#known].find(([, { missing }]) => missing !== null);
  }

  /** The newest part of what is missing of one service. */
  async #readMore(key: string, known: Kept): Promise<void> {
    const { missing } = known;
    if (missing === null) return;
    const from = Math.max(missing.from, missing.to - CHUNK_MS);
    const minutes = byMinute(await this.#telemetry.edge({ key, from, to: missing.to, resolution: '1m' }));
    // The clock was set, or a long time has passed, and something else is missing by now.
    if (known.missing !== missing) return;
    for (let piece = from; piece < missing.to; piece += PIECE_MS) sumUp(minutes, known.pieces, piece);
    known.missing = from > missing.from ? { from: missing.from, to: from } : null;
    await nextTurn();
  }

  /** Forgets services that are gone. */
  keepOnly(wanted: (key: string) => boolean): void {
    for (const key of this.#known.keys()) if (!wanted(key)) this.#known.delete(key);
  }
}

/** Several releases of a minute as one. */
function byMinute(samples: readonly EdgeSample[]): Map<number, Interval> {
  const minutes = new Map<number, Interval>();
  for (const { at, requests, bad, ttfb } of samples) {
    const before = minutes.get(at);
    if (before === undefined) {
      minutes.set(at, { requests, bad, ttfb });
      continue;
    }
    const both = totalsOf([before, { requests, bad, ttfb }]);
    minutes.set(at, { requests: both.requests, bad: both.bad, ttfb: toCounts(both.ttfb) });
  }
  return minutes;
}

function sumUp(minutes: ReadonlyMap<number, Interval>, pieces: ServiceHistory['pieces'], piece: number): void {
  const totals = noTraffic();
  for (let at = piece; at < piece + PIECE_MS; at += MINUTE) {
    const minute = minutes.get(at);
    if (minute !== undefined) addInterval(totals, minute);
  }
  if (totals.requests === 0) return void pieces.delete(piece);
  pieces.set(piece, { requests: totals.requests, bad: totals.bad, p95Ms: figuresOf(totals).p95Ms });
}

/** Of the last day. What was not read yet is not known, and no share is made of half of it. */
export function dayOf(
  { pieces, missing }: ServiceHistory,
  now: number,
): { share: number | null; requests: number; p95: (number | null)[] } {
  let requests = 0;
  let bad = 0;
  for (const piece of pieces.values()) {
    requests += piece.requests;
    bad += piece.bad;
  }
  const errors = errorRateOf(requests, bad);
  const first = dayBegin(now);
  const p95 = Array.from({ length: DAY_POINTS }, (_, index) => pieces.get(first + index * PIECE_MS)?.p95Ms ?? null);
  return { share: errors === null || missing !== null ? null : 1 - errors, requests, p95 };
}

const oldestPiece = (now: number): number => floor(now, PIECE_MS) - (DAY_POINTS - 1) * PIECE_MS;

export const dayBegin = oldestPiece;
export const hourBegin = (now: number): number => floor(now, MINUTE) - (HOUR_POINTS - 1) * MINUTE;

const floor = (at: number, unit: number): number => Math.floor(at / unit) * unit;
