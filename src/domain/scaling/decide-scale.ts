import type { ScaleConfig } from '../project/project.ts';
import type { Bounds } from './scale.ts';

/** What a service had to do, as one look saw it. */
export interface LoadSample {
  at: number;
  /** Requests and open connections of its busiest release, those that wait included. */
  inFlight: number;
  /** Cores that the instances of its busiest release used since the look before; null where nobody knows. */
  cores: number | null;
}

export interface ScaleDecision {
  /** As many as there ought to be. */
  instances: number;
  /** Why, with the numbers. */
  reason: string;
}

/** How long a load must last before more instances are started, ms. */
export const RISE_MS = 5_000;
/** How long those that were started last have to show what they take over, ms. */
const SETTLE_MS = 10_000;
/** Instances are taken away only if those that are left would have this share of room to spare. */
const SPARE = 0.2;

type Targets = Pick<ScaleConfig, 'concurrency' | 'cpu' | 'cooldownMs'>;

/**
 * How many instances a service needs. Up at once, to at most twice as many, as soon as the load of the last seconds asks for
 * it; down by one, when the whole cool-down would have done with fewer and room to spare. So a constant load never moves
 * it back and forth: what makes it grow never lets it shrink again.
 *
 * @param samples oldest first; what came before a restart of the controller is not among them, so shrinking waits anew
 * @param coresEach cores of one instance
 * @param mayShrink nothing is taken away while a rollout of the service is under way
 */
export function decideScale(
  now: { instances: number; changedAt: number; at: number },
  bounds: Bounds,
  targets: Targets,
  samples: readonly LoadSample[],
  { coresEach, mayShrink }: { coresEach: number; mayShrink: boolean },
): ScaleDecision {
  const { instances, at } = now;
  if (instances < bounds.min) return { instances: bounds.min, reason: `at least ${bounds.min} are asked for` };
  if (instances > bounds.max) {
    const most = { instances: bounds.max, reason: `at most ${bounds.max} are asked for` };
    return mayShrink ? most : stay(instances, 'a rollout is under way');
  }
  const age = Math.max(0, at - now.changedAt);
  const recent = samples.filter((each) => at - each.at <= RISE_MS);
  const covered = samples.some((each) => at - each.at >= RISE_MS) && recent.length > 1;
  const rise = covered ? needOf(recent, targets, coresEach) : null;
  if (rise !== null && rise.instances > instances && instances < bounds.max) {
    if (age < SETTLE_MS) return stay(instances, 'the last change settles');
    const grown = Math.min(rise.instances, bounds.max, instances * 2);
    return { instances: grown, reason: rise.reason };
  }
  if (instances <= bounds.min) return stay(instances, 'there are as few as there may be');
  if (!mayShrink) return stay(instances, 'a rollout is under way');
  const [oldest] = samples;
  if (oldest === undefined || at - oldest.at < targets.cooldownMs || age < targets.cooldownMs)
    return stay(instances, 'it cools down');
  const cooled = samples.filter((each) => at - each.at <= targets.cooldownMs);
  const spared = { concurrency: targets.concurrency * (1 - SPARE), cpu: targets.cpu * (1 - SPARE) };
  const most = Math.max(...windows(cooled).map((each) => needOf(each, spared, coresEach).instances));
  if (most >= instances) return stay(instances, 'they are needed');
  const { reason } = needOf(cooled, targets, coresEach);
  return {
    instances: instances - 1,
    reason: `${most === 1 ? '1 has' : `${most} have`} been enough for a while: ${reason}`,
  };
}

const stay = (instances: number, reason: string): ScaleDecision => ({ instances, reason });

/** The samples in pieces as long as those that make it grow, so that a peak that would is seen. */
function windows(samples: readonly LoadSample[]): LoadSample[][] {
  const pieces = new Map<number, LoadSample[]>();
  for (const each of samples) {
    const piece = Math.floor(each.at / RISE_MS);
    pieces.set(piece, [...(pieces.get(piece) ?? []), each]);
  }
  return [...pieces.values()];
}

function needOf(
  samples: readonly LoadSample[],
  targets: Pick<Targets, 'concurrency' | 'cpu'>,
  coresEach: number,
): ScaleDecision {
  const inFlight = mean(samples.map((each) => each.inFlight));
  const cores = samples.flatMap((each) => each.cores ?? []);
  const used = cores.length === 0 ? 0 : mean(cores);
  const byRequests = Math.ceil(inFlight / targets.concurrency - 1e-9);
  const byCpu = Math.ceil(used / (targets.cpu * coresEach) - 1e-9);
  const reason =
    byCpu > byRequests
      ? `${used.toFixed(2)} cores in use, ${(targets.cpu * coresEach).toFixed(2)} for each instance`
      : `${inFlight.toFixed(1)} requests in progress, ${targets.concurrency} for each instance`;
  return { instances: Math.max(1, byRequests, byCpu), reason };
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, each) => sum + each, 0) / values.length;
