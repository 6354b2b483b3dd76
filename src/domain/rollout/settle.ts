import type { Observed } from './observed.ts';
import { seen } from './phases.ts';
import type { Rollout } from './rollout.ts';
import { type Decision, stay } from './transition.ts';

/**
 * After the end: everything that the end asks for was seen to be so, or it is asked for again. Traffic and instances
 * follow from `desired`; what is left here are jobs that may still run, and knowing when it is over.
 */
export function settle(rollout: Rollout, observed: Observed): Decision {
  if (rollout.settled) return stay(rollout, rollout.reason);
  const takenBack = rollout.end !== 'complete';
  const waits: string[] = [];
  const actions = [];
  for (const each of rollout.services) {
    const service = seen(observed, each);
    if (takenBack) {
      const works = [service.build, service.smoke, service.check, service.migration];
      if (works.some((work) => work.state === 'running')) {
        actions.push({ kind: 'cancel-work' as const, service: each.service, migrations: true });
        waits.push(`jobs of ${each.to}`);
      }
      const kept = rollout.policy.keepFailed && !observed.superseded;
      if (service.to.present && !kept) waits.push(`${each.to} to stop`);
      if ((service.to.weight ?? 0) > 0) waits.push(`${each.to} to lose its traffic`);
      // Instances that are kept for a look hold the rollout open until the next one of this service.
      if (kept && service.to.present) waits.push(`${each.to}, kept for a look`);
    } else if (service.from?.present === true && each.from !== null) {
      waits.push(`${each.from} to stop`);
    }
  }
  if (waits.length > 0) return stay(rollout, `settling: ${waits.join('; ')}`, null, actions);
  return stay({ ...rollout, settled: true }, rollout.reason);
}
