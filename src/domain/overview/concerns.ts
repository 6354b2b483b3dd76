import { formatDuration, plural } from '../../lib/format.ts';

/**
 * What somebody ought to know beside how services are: what waits for a person, what is closed, and what evenkeel itself
 * lacks. In words.
 */
export const CONCERNS = ['edge', 'store', 'restarts', 'rollout', 'closed', 'certificate'] as const;

export interface Concern {
  state: 'warning' | 'critical';
  aspect: (typeof CONCERNS)[number];
  /** Null: the environment as a whole. */
  service: string | null;
  /** The rollout that it is about. */
  rollout: string | null;
  text: string;
}

export interface EnvironmentSeen {
  environment: string;
  project: string;
  services: { service: string; instances: { restarts: number }[] }[];
  rollouts: { id: string; services: { to: string }[]; paused: { detail: string } | null }[];
  closed?: { services: string[]; by: string | null } | undefined;
  tls?: { concerns: string[] } | undefined;
}

/** As often as this is no accident any more. */
const RESTARTS = 3;

export function concernsOf({ project, environment, services, rollouts, closed, tls }: EnvironmentSeen): Concern[] {
  const place = `${environment} of ${project}`;
  const warning = (
    aspect: Concern['aspect'],
    text: string,
    about: Partial<Pick<Concern, 'service' | 'rollout'>> = {},
  ): Concern => ({ state: 'warning', aspect, service: null, rollout: null, text, ...about });
  return [
    ...rollouts.flatMap(({ id, services: moved, paused }) => {
      if (paused === null) return [];
      const what = moved.map(({ to }) => to).join(', ');
      return [
        warning('rollout', `${what || 'a rollout'} in ${place} waits for a person: ${paused.detail}`, { rollout: id }),
      ];
    }),
    ...services.flatMap(({ service, instances }) => {
      const restarts = instances.reduce((sum, each) => sum + each.restarts, 0);
      if (restarts < RESTARTS) return [];
      return [warning('restarts', `${service}: its instances were started again ${restarts} times`, { service })];
    }),
    ...(closed === undefined || closed.services.length === 0
      ? []
      : [
          warning(
            'closed',
            `${closed.services.join(', ')} in ${place}: closed for maintenance${closed.by === null ? '' : ` by ${closed.by}`}`,
          ),
        ]),
    ...(tls?.concerns ?? []).map((text) => warning('certificate', `${place}: ${text}`)),
  ];
}

/** Of evenkeel itself. `unwritten`: what was carried out and is still to be written down. */
export function serverConcerns(
  { edge, storeAwaySince, unwritten }: { edge: boolean; storeAwaySince: number | null; unwritten: number },
  now: number,
): Concern[] {
  const about = { service: null, rollout: null };
  const concerns: Concern[] = [];
  if (!edge)
    concerns.push({
      ...about,
      state: 'critical',
      aspect: 'edge',
      text: 'The edge does not answer: nobody knows whether visitors are served',
    });
  if (storeAwaySince !== null)
    concerns.push({
      ...about,
      state: 'critical',
      aspect: 'store',
      text: `The store has not answered for ${formatDuration(now - storeAwaySince)}: what is shown is of before, and only what takes back can be done`,
    });
  if (unwritten > 0)
    concerns.push({
      ...about,
      state: 'warning',
      aspect: 'store',
      text: `${plural(unwritten, 'request')} carried out while the store was away, still to be written`,
    });
  return concerns;
}
