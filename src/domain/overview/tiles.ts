import { type Figures, type Totals, figuresOf } from './traffic.ts';
import type { Judged } from './judge.ts';
import { type State, worstOf, worstSeen } from './state.ts';

export interface Tile {
  state: State;
  /** Null: nothing was seen. */
  value: number | null;
  /** The last hour, oldest first; null where nothing was seen. */
  points: (number | null)[];
}

/** Everything that a tile is made of, added up over the environments that are looked at. */
export interface TileInput {
  services: { health: string; judged: Judged }[];
  /** The last minutes as one, and how long they were. */
  recent: Totals;
  recentMs: number;
  /**
   * By the minute. `watched`: some sample was taken in it, so that no request means none. `healthy`: the fewest services
   * that were seen healthy in it; null: nobody looked.
   */
  minutes: { totals: Totals | null; watched: boolean; healthy: number | null }[];
  /** Samples were taken in the last minutes. */
  watchedNow: boolean;
}

export interface Tiles {
  services: { state: State; healthy: number; total: number; unknown: number; points: (number | null)[] };
  /** Requests a second. */
  rate: Tile;
  /** 0..1. */
  errorRate: Tile;
  averageMs: Tile;
  p95Ms: Tile;
}

const MINUTE_S = 60;

export function tilesOf({ services, recent, recentMs, minutes, watchedNow }: TileInput): Tiles {
  const counted = services.filter(({ health }) => health !== 'stopped');
  const now = figuresOf(recent);
  const each = minutes.map(({ totals, watched }) => ({
    figures: totals === null ? null : figuresOf(totals),
    watched,
  }));
  const points = (of: (figures: Figures) => number | null): (number | null)[] =>
    each.map(({ figures }) => (figures === null ? null : of(figures)));
  const aspect = (name: 'errors' | 'latency'): State => worstSeen(counted.map(({ judged }) => judged.aspects[name]));
  return {
    services: {
      state: worstOf(counted.map(({ judged }) => judged.aspects.health)),
      healthy: counted.filter(({ health }) => health === 'healthy').length,
      total: counted.length,
      unknown: counted.filter(({ health }) => health === 'unknown').length,
      points: minutes.map(({ healthy }) => healthy),
    },
    rate: {
      // Nobody says how many there ought to be.
      state: watchedNow ? 'healthy' : 'unknown',
      value: watchedNow ? perSecond(recent.requests, recentMs / 1000) : null,
      points: each.map(({ figures, watched }) =>
        figures === null ? (watched ? 0 : null) : perSecond(figures.requests, MINUTE_S),
      ),
    },
    // As bad as the worst service of all: an average over all would hide it.
    errorRate: { state: aspect('errors'), value: now.errorRate, points: points(({ errorRate }) => errorRate) },
    averageMs: { state: aspect('latency'), value: now.averageMs, points: points(({ averageMs }) => averageMs) },
    p95Ms: { state: aspect('latency'), value: now.p95Ms, points: points(({ p95Ms }) => p95Ms) },
  };
}

const perSecond = (requests: number, seconds: number): number => Number((requests / seconds).toPrecision(4));
