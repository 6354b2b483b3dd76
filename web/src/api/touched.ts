import type { ChangeEvent } from '../../../src/api/contract/changes.ts';

/**
 * How what was asked for is named, so that a change finds it: a topic, then the place that it is about. What is about
 * several places names none.
 */
export type Key = readonly [topic: Topic, place?: Partial<Place> | null, ...more: unknown[]];

export type Topic =
  | 'overview'
  | 'status'
  | 'rollouts'
  | 'releases'
  | 'release'
  | 'series'
  | 'comparison'
  | 'secrets'
  | 'audit'
  // Who one is, and what one may do: it names environments, and is told by what others do.
  | 'session'
  | 'sessions'
  | 'accounts'
  | 'people'
  | 'users'
  | 'roles'
  | 'tokens'
  | 'organizations'
  | 'server';

interface Place {
  project: string;
  environment: string;
  service: string;
}

/** What has to be asked for again when this has happened. Of several of a kind only these are told apart by their place. */
const TOPICS: Record<Exclude<ChangeEvent['type'], 'reset'>, readonly Topic[]> = {
  status: ['overview', 'status'],
  rollout: ['overview', 'status', 'rollouts', 'releases', 'release', 'series', 'session'],
  release: ['overview', 'status', 'releases', 'release', 'comparison', 'series'],
  metrics: ['overview', 'status', 'series'],
  server: ['overview', 'status', 'server'],
  audit: [
    'audit',
    'secrets',
    'comparison',
    'session',
    'sessions',
    'accounts',
    'people',
    'users',
    'roles',
    'tokens',
    'organizations',
  ],
};

const ALL: readonly Topic[] = [...new Set(Object.values(TOPICS).flat())];

/** Whether what is known under a key may be different after a change. */
export function touches(event: ChangeEvent, key: readonly unknown[]): boolean {
  const [topic, place] = key as Key;
  if (event.type === 'reset') return ALL.includes(topic);
  if (!TOPICS[event.type].includes(topic)) return false;
  if (place === null || place === undefined) return true;
  const { project = null, environment = null } = 'project' in event ? event : {};
  const same = (here: string | undefined, there: string | null): boolean =>
    here === undefined || there === null || here === there;
  return same(place.project, project) && same(place.environment, environment);
}
