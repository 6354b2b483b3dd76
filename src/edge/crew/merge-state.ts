import type { EdgeInstanceHealth, EdgeState } from '../../domain/traffic/protocol.ts';

type ServiceState = EdgeState['services'][number];

/**
 * The state of several workers as one. An instance is healthy when every worker finds it so: each looks for itself, and
 * sends its own requests there. Configuration and fence are the first worker's, which the others follow.
 */
export function mergeState(
  first: EdgeState['services'],
  others: readonly Pick<EdgeState, 'services'>[],
): ServiceState[] {
  return first.map((service) => {
    const same = others.flatMap(({ services }) => services.find(({ key }) => key === service.key) ?? []);
    return {
      ...service,
      instances: service.instances.map((instance) =>
        mergeHealth(
          instance,
          same.map(({ instances }) => instances.find(({ id }) => id === instance.id)).filter(isKnown),
        ),
      ),
      effective: (service.effective ?? []).map(({ release, weight }) => {
        const weights = same.map(({ effective }) => effective?.find((each) => each.release === release)?.weight ?? 0);
        return { release, weight: mean([weight, ...weights]) };
      }),
      held: service.held + same.reduce((sum, { held }) => sum + held, 0),
    };
  });
}

function mergeHealth(own: EdgeInstanceHealth, others: readonly EdgeInstanceHealth[]): EdgeInstanceHealth {
  const all = [own, ...others];
  return {
    id: own.id,
    healthy: all.every(({ healthy }) => healthy),
    consecutive: Math.min(...all.map(({ consecutive }) => consecutive)),
    // Zero: one of them has not looked yet.
    checks: Math.min(...all.map(({ checks }) => checks)),
    lastError: (all.find(({ healthy }) => !healthy) ?? own).lastError,
    inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
    ejected: all.some(({ ejected }) => ejected),
  };
}

const isKnown = <T>(value: T | undefined): value is T => value !== undefined;

/** Of equal ones exactly what they are. */
const mean = (values: readonly number[]): number =>
  new Set(values).size === 1 ? (values[0] ?? 0) : values.reduce((sum, value) => sum + value, 0) / values.length;
