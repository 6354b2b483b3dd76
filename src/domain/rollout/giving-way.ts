import { formatDuration } from '../../lib/format.ts';
import { type Observed, seen } from './observed.ts';
import type { Held, HeldCounts, Rollout, RolloutService } from './rollout.ts';
import { type Decision, note } from './transition.ts';

/**
 * Services that cannot run twice. Their former release gives way: the edge holds what comes in, the former release
 * stops, the new one starts, is verified, and takes over. Nobody answers meanwhile, so nothing in between may wait for a
 * person: approvals are asked for before, and a pause gives the service back to its former release.
 */

/** Its former release has to stop before the new one may start. */
export const mustGiveWay = ({ alone, from, to }: Pick<RolloutService, 'alone' | 'from' | 'to'>): boolean =>
  alone === true && from !== null && from !== to;

/** The former release was told to stop so that the new one can start, or has done so: it is not hot. */
export const hasGivenWay = (rollout: Pick<Rollout, 'held'>, part: RolloutService): boolean =>
  mustGiveWay(part) && rollout.held[part.service] !== undefined;

/** The former release of one of its services has stopped for the new one. */
export const holdsSome = (rollout: Rollout): boolean => rollout.services.some((each) => hasGivenWay(rollout, each));

export const someGiveWay = (rollout: Pick<Rollout, 'services'>): boolean => rollout.services.some(mustGiveWay);

/** Writes down that the former releases of these services stop from now on. */
export function giveWay(rollout: Rollout, observed: Observed, parts: RolloutService[], now: number): Decision {
  const held = { ...rollout.held };
  for (const each of parts)
    held[each.service] = { since: now, counted: seen(observed, each).held ?? null } satisfies Held;
  const what = parts.map(
    (each) =>
      `${each.from ?? ''} stops so that ${each.to} can start${each.kind === 'worker' ? '' : `, requests to ${each.service} wait`}`,
  );
  return note({ ...rollout, held }, now, `${what.join('; ')} (overlap: false)`);
}

/** For how long nobody answered, and what became of the requests, by service. */
export function heldFigures(
  rollout: Rollout,
  observed: Observed,
  now: number,
): Record<string, { ms: number; waited: number | null; refused: number | null }> {
  const parts = rollout.services.filter((each) => hasGivenWay(rollout, each));
  return Object.fromEntries(
    parts.map((each) => {
      const { since, counted } = rollout.held[each.service] ?? { since: now, counted: null };
      return [
        each.service,
        { ms: Math.max(0, now - since), ...difference(counted, seen(observed, each).held ?? null) },
      ];
    }),
  );
}

/** Counters that began anew meanwhile, or that nobody could read, tell nothing. */
function difference(
  before: HeldCounts | null,
  after: HeldCounts | null,
): { waited: number | null; refused: number | null } {
  if (before === null || after === null || before.epoch !== after.epoch) return { waited: null, refused: null };
  return { waited: after.waited - before.waited, refused: after.refused - before.refused };
}

/** `db was held for 1.8s (12 requests waited, none was refused)`. */
export const heldInWords = (figures: ReturnType<typeof heldFigures>): string[] =>
  Object.entries(figures).map(([service, { ms, waited, refused }]) => {
    const counts =
      waited === null || refused === null
        ? ''
        : ` (${waited} ${waited === 1 ? 'request' : 'requests'} waited, ${refused === 0 ? 'none was' : refused} refused)`;
    return `${service} was held for ${formatDuration(ms)}${counts}`;
  });
