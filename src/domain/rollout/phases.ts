import { startsEarly } from './desired.ts';
import { missingApprovals } from './gate.ts';
import { giveWay, hasGivenWay, mustGiveWay, someGiveWay } from './giving-way.ts';
import { attemptOf, jobsOf, unknownEnd } from './jobs.ts';
import { type Action, type Observed, seen, type ServiceObserved } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, finish, hold, pause, wait } from './transition.ts';

/** The phases before anything of the new release is asked; the later ones have a file each. */

export function pending(rollout: Rollout, observed: Observed, now: number): Decision {
  // It was created in the same moment in which the contract began: whoever is first there wins.
  if (observed.pastContract !== null) return finish(rollout, 'failed', now, observed.pastContract);
  if (rollout.paused !== null) return hold(rollout, now);
  return enter(rollout, 'building', now, 'begun');
}

export function building(rollout: Rollout, observed: Observed, now: number): Decision {
  const builders = rollout.services.filter((each) => each.builds);
  for (const each of builders) {
    const { build } = seen(observed, each);
    if (build.state === 'failed') return finish(rollout, 'failed', now, `build of ${each.to} failed: ${build.detail}`);
  }
  if (rollout.paused !== null) return hold(rollout, now);
  const open = builders.filter((each) => seen(observed, each).build.state !== 'done');
  if (open.length === 0) {
    const built = Object.fromEntries(builders.map((each) => [each.service, seen(observed, each).build.detail]));
    return enter(
      rollout,
      'starting',
      now,
      builders.length === 0 ? 'nothing to build' : `built ${names(builders)}`,
      built,
    );
  }
  // A build leaves nothing behind that a second one would not replace, so an unknown end is simply built again.
  const idle = open.filter((each) => seen(observed, each).build.state !== 'running');
  const actions = idle.map((each): Action => ({ kind: 'build', service: each.service }));
  return wait(rollout, now, `building ${names(open)}`, actions);
}

/**
 * Instances that need no migration and no other new service are started; that their processes exist is enough. What
 * they would say before the migration ran says nothing about the release.
 */
export function starting(rollout: Rollout, observed: Observed, now: number): Decision {
  const early = rollout.services.filter(startsEarly);
  for (const each of early) {
    const { failure } = seen(observed, each).to;
    if (failure !== null) return finish(rollout, 'failed', now, `${each.to} did not start: ${failure}`);
  }
  if (rollout.paused !== null) return hold(rollout, now);
  const open = early.filter((each) => !spawned(seen(observed, each)));
  if (open.length > 0) return wait(rollout, now, `starting ${names(open)}`);
  const missing = someGiveWay(rollout) ? missingApprovals(rollout) : null;
  if (missing !== null) {
    const stops = rollout.services.filter(mustGiveWay).flatMap((each) => each.from ?? []);
    return pause(rollout, 'approval', now, `${missing.replace(/before .*/, '')}before ${stops.join(', ')} stops`);
  }
  return enter(
    rollout,
    'migrating',
    now,
    early.length > 0 ? `${names(early)} ${early.length === 1 ? 'has' : 'have'} started` : nothingYet(rollout),
  );
}

const nothingYet = (rollout: Rollout): string =>
  someGiveWay(rollout) ? 'nothing can start beside what serves' : 'nothing can start before the migration';

const spawned = (service: ServiceObserved): boolean => service.to.running >= service.to.wanted;

/** One migration at a time, in dependency order. */
export function migrating(rollout: Rollout, observed: Observed, now: number): Decision {
  const migrated: string[] = [];
  for (const each of rollout.services) {
    for (const job of jobsOf(rollout, observed, each, ['migrate'])) {
      switch (job.work.state) {
        case 'done':
          migrated.push(each.to);
          continue;
        case 'failed':
          return finish(rollout, 'failed', now, `migration of ${each.to} failed: ${job.work.detail}`);
        case 'unknown':
          return rollout.paused === null ? pause(rollout, 'unknown-job', now, unknownEnd(job)) : hold(rollout, now);
        case 'running':
          return rollout.paused === null ? wait(rollout, now, `migrating ${each.to}`) : hold(rollout, now);
        case 'absent': {
          if (rollout.paused !== null) return hold(rollout, now);
          if (observed.schemaBusy !== null)
            return wait(rollout, now, `migrating ${each.to}: waiting for ${observed.schemaBusy}`);
          if (mustGiveWay(each) && !hasGivenWay(rollout, each)) return giveWay(rollout, observed, [each], now);
          // What cannot run twice should not have its data changed under it either.
          if (hasGivenWay(rollout, each) && seen(observed, each).from?.present === true)
            return wait(rollout, now, `migrating ${each.to}: waiting for ${each.from ?? ''} to stop`);
          const attempt = attemptOf(rollout, job);
          return wait(rollout, now, `migrating ${each.to}`, [{ kind: 'migrate', service: each.service, attempt }]);
        }
      }
    }
  }
  if (rollout.paused !== null) return hold(rollout, now);
  const waived = rollout.waived.length === 0 ? '' : `; vouched for: ${rollout.waived.join(', ')}`;
  const what = migrated.length === 0 ? 'nothing to migrate' : `migrated ${migrated.join(', ')}`;
  return enter(rollout, 'verifying', now, `${what}${waived}`);
}

const names = (services: RolloutService[]): string => services.map((each) => each.to).join(', ');
