import { mustGiveWay } from './giving-way.ts';
import { type Action, type Observed, seen, type ServiceObserved } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, stay } from './transition.ts';
import { whoRoutes } from './where.ts';

/**
 * After the end: everything that the end asks for was seen to be so, or it is asked for again. Traffic and instances
 * follow from `desired`; what is left here are jobs that may still run, and knowing when it is over.
 */
export function settle(ended: Rollout, observed: Observed): Decision {
  if (ended.settled) return stay(ended, ended.reason);
  const takenBack = ended.end !== 'complete';
  // A newer rollout ends the look at a failed release for good, even if it is over sooner than this one settles.
  const rollout =
    observed.superseded && ended.policy.keepFailed
      ? { ...ended, policy: { ...ended.policy, keepFailed: false } }
      : ended;
  const actions: Action[] = [];
  const waits: string[] = [];
  for (const each of rollout.services) {
    const service = seen(observed, each);
    // A contract that was given up is stopped as well; one that goes on has not ended.
    if (service.contract.state === 'running' || (takenBack && hasRunningJob(service))) {
      actions.push({ kind: 'cancel-work', service: each.service, migrations: true });
      waits.push(`jobs of ${each.to}`);
    }
    // What a newer rollout makes of these releases, which it may well want to run, is its own affair.
    if (!observed.superseded)
      waits.push(
        ...(takenBack ? leftOfNew(rollout, each, service, observed.down === true) : leftOfFormer(each, service)),
      );
  }
  const routed = rollout.services.some((each) => each.kind !== 'worker');
  if (routed && !observed.edgeReachable && !observed.superseded) waits.push(`${whoRoutes(rollout)} to answer`);
  if (waits.length > 0) return stay(rollout, `settling: waiting for ${waits.join('; ')}`, null, actions);
  return stay({ ...rollout, settled: true }, rollout.reason);
}

const hasRunningJob = (service: ServiceObserved): boolean =>
  [service.build, service.smoke, service.check, service.migration].some((work) => work.state === 'running');

function leftOfNew(rollout: Rollout, each: RolloutService, { to, from }: ServiceObserved, down: boolean): string[] {
  const waits: string[] = [];
  if ((to.weight ?? 0) > 0) waits.push(`${each.to} to lose its traffic`);
  // Instances that are kept for a look hold the rollout open until the next one of this service.
  if (to.present) waits.push(rollout.policy.keepFailed ? `${each.to}, kept for a look` : `${each.to} to stop`);
  // Its former release was stopped for it, and has to come up again; one that cannot will not be waited for.
  const back = mustGiveWay(each) && !down && from !== null && from.failure === null;
  if (back && from.healthy < 1) waits.push(`${each.from ?? ''} to answer again`);
  return waits;
}

function leftOfFormer(each: RolloutService, { from }: ServiceObserved): string[] {
  const waits: string[] = [];
  if (each.from === null || from === null) return waits;
  if ((from.weight ?? 0) > 0) waits.push(`${each.from} to lose its traffic`);
  if (from.present) waits.push(`${each.from} to stop`);
  return waits;
}
