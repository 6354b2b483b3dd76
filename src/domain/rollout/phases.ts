import type { Action, Observed, ServiceObserved, Work } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { gate } from './gate.ts';
import { type Decision, enter, finish, pause, stay } from './transition.ts';
import { seconds } from './decide.ts';

/** The phases up to the first traffic, and the switch itself. Canary and watching have files of their own. */

export function pending(rollout: Rollout, now: number): Decision {
  return enter(rollout, 'building', now, 'begun');
}

export function building(rollout: Rollout, observed: Observed, now: number): Decision {
  const builders = rollout.services.filter((each) => each.builds);
  const open: RolloutService[] = [];
  for (const each of builders) {
    const work = seen(observed, each).build;
    if (work.state === 'failed') return finish(rollout, 'failed', now, `build of ${each.to} failed: ${work.detail}`);
    // A build leaves nothing behind that a second one would not replace, so an unknown end is simply built again.
    if (work.state !== 'done') open.push(each);
  }
  if (open.length === 0) {
    const built = Object.fromEntries(builders.map((each) => [each.service, seen(observed, each).build.detail]));
    return enter(rollout, 'starting', now, builders.length === 0 ? 'nothing to build' : 'built', built);
  }
  if (rollout.paused !== null) return stay(rollout, rollout.paused.detail);
  return stay(
    rollout,
    `building ${names(open)}`,
    rollout.phaseSince + rollout.policy.deadlines.buildingMs,
    open.map((each): Action => ({ kind: 'build', service: each.service })),
  );
}

/**
 * Instances that need no migration and no other new service are started; that their processes exist is enough. What
 * they would say before the migration ran says nothing about the release.
 */
export function starting(rollout: Rollout, observed: Observed, now: number): Decision {
  for (const each of rollout.services) {
    const { failure } = seen(observed, each).to;
    if (failure !== null && startsEarly(each)) return finish(rollout, 'failed', now, `${each.to} did not start: ${failure}`);
  }
  const open = rollout.services.filter((each) => startsEarly(each) && !spawned(seen(observed, each)));
  if (open.length > 0)
    return stay(rollout, `starting ${names(open)}`, rollout.phaseSince + rollout.policy.deadlines.startingMs);
  if (rollout.paused !== null) return stay(rollout, rollout.paused.detail);
  return enter(rollout, 'migrating', now, 'started');
}

/** A service whose schema comes first, or that leans on another new service, starts later, in verifying. */
export const startsEarly = (each: RolloutService): boolean => !each.migrates && each.after.length === 0;

const spawned = (service: ServiceObserved): boolean => service.to.running >= service.to.wanted;

/** One migration at a time, in dependency order. */
export function migrating(rollout: Rollout, observed: Observed, now: number): Decision {
  for (const each of rollout.services.filter((service) => service.migrates)) {
    const name = `migrate.${each.service}`;
    if (rollout.waived.includes(name)) continue;
    const work = seen(observed, each).migration;
    switch (work.state) {
      case 'done':
        continue;
      case 'failed':
        return finish(rollout, 'failed', now, `migration of ${each.to} failed: ${work.detail}`);
      case 'unknown':
        if (rollout.paused !== null) return stay(rollout, rollout.paused.detail);
        return pause(rollout, 'unknown-job', now, unknownEnd(name, work));
      case 'running':
        return stay(rollout, `migrating ${each.to}`, rollout.phaseSince + rollout.policy.deadlines.migratingMs);
      case 'absent':
        if (rollout.paused !== null) return stay(rollout, rollout.paused.detail);
        return stay(rollout, `migrating ${each.to}`, rollout.phaseSince + rollout.policy.deadlines.migratingMs, [
          { kind: 'migrate', service: each.service, attempt: attempt(rollout, name) },
        ]);
    }
  }
  if (rollout.paused !== null) return stay(rollout, rollout.paused.detail);
  const migrated = rollout.services.filter((each) => each.migrates);
  return enter(rollout, 'verifying', now, migrated.length === 0 ? 'nothing to migrate' : `migrated ${names(migrated)}`);
}

export function verifying(rollout: Rollout, observed: Observed, now: number): Decision {
  const actions: Action[] = [];
  const waits: string[] = [];
  let verified = rollout.verified;
  for (const each of rollout.services) {
    if (!each.after.every((name) => verified.includes(name))) {
      waits.push(`${each.service} for ${each.after.join(', ')}`);
      continue;
    }
    const service = seen(observed, each);
    // It must still be well when the last of them is: a service that was verified and then died is not.
    const { to } = service;
    if (to.failure !== null) return finish(rollout, 'failed', now, `${each.to} is not healthy: ${to.failure}`);
    if (to.healthy < to.wanted || to.wanted === 0) {
      waits.push(`${each.to} (${to.healthy} of ${to.wanted} healthy)`);
      continue;
    }
    if (!rollout.verified.includes(each.service)) {
      const proof = prove(rollout, each, service, now);
      if (proof.kind === 'ended') return proof.decision;
      actions.push(...proof.actions);
      if (proof.kind === 'open') {
        waits.push(proof.what);
        continue;
      }
      verified = [...verified, each.service];
    }
  }
  const next = verified === rollout.verified ? rollout : { ...rollout, verified };
  if (rollout.paused !== null) return stay(next, rollout.paused.detail);
  if (waits.length > 0)
    return stay(next, `verifying: waiting for ${waits.join('; ')}`, rollout.phaseSince + rollout.policy.deadlines.verifyingMs, actions);
  const judged = rollout.services.some((each) => each.from !== null && each.kind !== 'worker');
  if (rollout.policy.canary.length > 0 && judged) return enterCanary(next, observed, now);
  const why = rollout.policy.canary.length === 0 ? 'no canary is asked for' : 'there is no former release to compare with';
  return gate(next, now, `verified; ${why}`, {});
}

type Proof =
  | { kind: 'proven'; actions: Action[] }
  | { kind: 'open'; what: string; actions: Action[] }
  | { kind: 'ended'; decision: Decision };

/** Smoke tests and the check of a healthy service. */
function prove(rollout: Rollout, each: RolloutService, service: ServiceObserved, now: number): Proof {
  const kinds = [
    { kind: 'smoke' as const, work: service.smoke, needed: each.smokes },
    { kind: 'check' as const, work: service.check, needed: each.checks },
  ];
  const actions: Action[] = [];
  for (const { kind, work, needed } of kinds) {
    const name = `${kind}.${each.service}`;
    if (!needed || work.state === 'done' || rollout.waived.includes(name)) continue;
    if (work.state === 'failed')
      return { kind: 'ended', decision: finish(rollout, 'failed', now, `${kind} test of ${each.to} failed: ${work.detail}`) };
    if (work.state === 'unknown')
      return {
        kind: 'ended',
        decision:
          rollout.paused === null
            ? pause(rollout, 'unknown-job', now, unknownEnd(name, work))
            : stay(rollout, rollout.paused.detail),
      };
    if (work.state === 'absent') actions.push({ kind, service: each.service, attempt: attempt(rollout, name) });
    return { kind: 'open', what: `the ${kind} test of ${each.to}`, actions };
  }
  return { kind: 'proven', actions };
}

/** The baseline's quantiles are frozen here, before the canary can have touched anything that both share. */
function enterCanary(rollout: Rollout, observed: Observed, now: number): Decision {
  const analysis = { ...rollout.analysis };
  for (const each of rollout.services) {
    if (each.from === null || each.kind === 'worker') continue;
    const service = seen(observed, each);
    analysis[each.service] = { slow: service.baselineSlow, evidence: service.evidence, windowStart: null, verdict: null };
  }
  const [first] = rollout.policy.canary;
  const weight = first?.weight ?? 0;
  const detail = { weight, slow: Object.fromEntries(Object.entries(analysis).map(([name, each]) => [name, each.slow])) };
  return enter({ ...rollout, analysis }, 'canary', now, `verified; ${weight} % of sessions go to the canary`, detail);
}

/**
 * The switch. It counts as made once the edge has the weights and a request that went through it was answered by the
 * new release; until then nothing is called a success.
 */
export function promoting(rollout: Rollout, observed: Observed, now: number): Decision {
  const waits: string[] = [];
  for (const each of rollout.services) {
    const service = seen(observed, each);
    const { to } = service;
    if (to.failure !== null) return finish(rollout, 'failed', now, `${each.to} failed while it was promoted: ${to.failure}`);
    if (to.healthy < 1) waits.push(`${each.to} has no healthy instance`);
    if (each.kind === 'worker') continue;
    if (!observed.edgeReachable || (to.weight ?? 0) < 100 - rollout.policy.holdback) waits.push(`${each.to} at the edge`);
    else if (service.answered === null || service.answered.release !== each.to || service.answered.at < rollout.phaseSince)
      waits.push(`an answer of ${each.to} through the edge`);
  }
  if (waits.length > 0)
    return stay(rollout, `promoting: waiting for ${waits.join('; ')}`, rollout.phaseSince + rollout.policy.deadlines.promotingMs);
  const window = rollout.policy.rollbackWindowMs;
  const answered = rollout.services.map((each) => each.to).join(', ');
  return enter(rollout, 'watching', now, `${answered} answered through the edge; rollback window ${seconds(window)}`, {
    switchMs: Math.max(0, now - rollout.phaseSince),
  });
}

export function seen(observed: Observed, each: RolloutService): ServiceObserved {
  const service = observed.services[each.service];
  if (service === undefined) throw new Error(`the engine must observe every service of the rollout, ${each.service} is missing`);
  return service;
}

const names = (services: RolloutService[]): string => services.map((each) => each.to).join(', ');
const attempt = (rollout: Rollout, name: string): number => rollout.attempts[name] ?? 1;
const unknownEnd = (name: string, work: Work): string =>
  `${name} died without a recorded end (${work.detail}): resume runs it again, promote goes on as if it had succeeded, abort takes back`;
