import type { Overview, OverviewRow } from '../../../src/api/contract/overview.ts';
import type { Level } from '../ui/State.tsx';

export const HEALTH_LEVEL: Record<OverviewRow['health'], Level> = {
  healthy: 'healthy',
  degraded: 'warning',
  down: 'critical',
  stopped: 'stopped',
  unknown: 'unknown',
};

type Levels = OverviewRow['objectives']['p95Ms'];

/** `warning from 1 %, critical from 5 %` */
export function saidLevels(levels: Levels, format: (value: number) => string): string {
  return levels === null
    ? 'not judged'
    : `warning from ${format(levels.warning)}, critical from ${format(levels.critical)}`;
}

/** What all services have in common; null where each has its own. */
export function commonLevels(services: Overview['services'], of: 'errorRate' | 'p95Ms'): Levels | 'own' {
  const all = services.filter(({ health }) => health !== 'stopped').map(({ objectives }) => objectives[of]);
  const [first = null] = all;
  return new Set(all.map((each) => JSON.stringify(each))).size > 1 ? 'own' : first;
}

/** 99.95 % and 99.9 % are far apart: never rounded up. */
export const formatAvailability = (share: number): string =>
  share === 1 ? '100 %' : `${Number((Math.floor(share * 100_000) / 1000).toFixed(3))} %`;
