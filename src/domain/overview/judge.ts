import { formatDuration, formatLatency, formatPercent, formatShare } from '../../lib/format.ts';
import type { Levels, Objectives } from '../project/objectives.ts';
import { type State, stateOf, worstSeen } from './state.ts';

export type Health = 'healthy' | 'degraded' | 'down' | 'stopped' | 'unknown';

/** What was seen of one service in the last minutes. */
export interface ServiceSeen {
  service: string;
  health: Health;
  /** In words. */
  detail: string;
  requests: number;
  bad: number;
  errorRate: number | null;
  p95Ms: number | null;
  /** Bytes of each instance that has a limit, and the limit. */
  memory: { used: number; limit: number }[];
  /** Over `availabilityMs`, 0..1. */
  availability: number | null;
  availabilityMs: number;
}

export const ASPECTS = ['health', 'errors', 'latency', 'memory', 'availability'] as const;
export type Aspect = (typeof ASPECTS)[number];

export interface Warning {
  state: 'warning' | 'critical';
  aspect: Aspect;
  /** Such as `picture-api: memory 85 % of its limit`. */
  text: string;
}

export interface Judged {
  /** Of the whole service: the worst of what was seen. */
  state: State;
  /** Null: nothing is wanted of it. */
  aspects: Record<Aspect, State | null>;
  /** The worst first. */
  warnings: Warning[];
}

/**
 * Of fewer requests one alone would be more than 5 %: it may be an accident, and a person is not called for it. It is shown
 * as a warning at most.
 */
const FEW = 20;

const OF_HEALTH: Record<Health, State | null> = {
  healthy: 'healthy',
  degraded: 'warning',
  down: 'critical',
  unknown: 'unknown',
  // It was brought down, or there is nothing of it yet: nobody waits for it.
  stopped: null,
};

export function judge(seen: ServiceSeen, objectives: Objectives): Judged {
  const { requests } = seen;
  const few = requests < FEW;
  const fullest = worstMemory(seen.memory);
  const aspects: Judged['aspects'] = {
    health: OF_HEALTH[seen.health],
    errors: capped(stateOf(requests === 0 ? null : seen.errorRate, objectives.errorRate), few),
    latency: capped(stateOf(seen.p95Ms, objectives.p95Ms), few),
    // Without a limit there is no share of it.
    memory: seen.memory.length === 0 ? null : stateOf(fullest, objectives.memory),
    availability: ofAvailability(seen.availability, objectives.availability),
  };
  const said: Record<Aspect, () => string> = {
    health: () => seen.detail,
    errors: () => `${formatShare(seen.errorRate ?? 0)} of requests fail${over(objectives.errorRate, formatShare)}`,
    latency: () => `p95 ${formatLatency(seen.p95Ms ?? 0)}${over(objectives.p95Ms, formatLatency)}`,
    memory: () => `memory ${formatPercent(Math.round((fullest ?? 0) * 100))} of its limit`,
    availability: () =>
      `${precise(seen.availability ?? 0)} available in ${formatDuration(seen.availabilityMs)}, objective ${precise(objectives.availability ?? 0)}`,
  };
  const warnings = ASPECTS.flatMap((aspect): Warning[] => {
    const state = aspects[aspect];
    if (state !== 'warning' && state !== 'critical') return [];
    return [{ state, aspect, text: `${seen.service}: ${said[aspect]()}` }];
  });
  return {
    state: aspects.health === 'unknown' ? worstWithUnknown(aspects) : worstSeen(Object.values(aspects)),
    aspects,
    warnings: worstFirst(warnings),
  };
}

/** Whoever does not know whether it is well may still know that it is bad. */
function worstWithUnknown(aspects: Judged['aspects']): State {
  const others = worstSeen(Object.values(aspects));
  return others === 'healthy' ? 'unknown' : others;
}

export const worstFirst = <T extends { state: 'warning' | 'critical' }>(warnings: readonly T[]): T[] => [
  ...warnings.filter(({ state }) => state === 'critical'),
  ...warnings.filter(({ state }) => state === 'warning'),
];

/** Of the instance that is nearest to its limit, 0..1 and above. */
export function worstMemory(memory: ServiceSeen['memory']): number | null {
  const shares = memory.map(({ used, limit }) => used / limit);
  return shares.length === 0 ? null : Math.max(...shares);
}

const capped = (state: State | null, few: boolean): State | null => (few && state === 'critical' ? 'warning' : state);

/** Below the objective is a warning, not critical: what is past cannot be mended at night. */
function ofAvailability(seen: number | null, wanted: number | null): State | null {
  if (wanted === null) return null;
  if (seen === null) return 'unknown';
  return seen < wanted ? 'warning' : 'healthy';
}

const over = (levels: Levels | null, format: (value: number) => string): string =>
  levels === null ? '' : `, over the objective of ${format(levels.warning)}`;

/** 99.95 % and 99.9 % are far apart here. */
const precise = (share: number): string => `${Number((Math.floor(share * 100_000) / 1000).toFixed(3))} %`;
