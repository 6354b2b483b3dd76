import type { Listen } from '../project/project.ts';
import type { Deployment } from '../release/release.ts';
import { activeOf, rolloutsOf } from './active.ts';
import { hasGivenWay, mustGiveWay } from './giving-way.ts';
import { PHASES, type Phase, type Rollout, type RolloutService } from './rollout.ts';

/** One release of a service as it ought to be now. */
export interface DesiredRelease {
  release: string;
  /** Percent of sessions. */
  weight: number;
  /**
   * Its instances ought to run (with weight 0: hot, or under verification, or kept for a look). One that has traffic and
   * ought not to run is giving way: its requests wait.
   */
  run: boolean;
}

export interface DesiredService {
  service: string;
  /** Sessions are hashed together with this. */
  unit: string;
  /** At most the current, the new and the kept one; weights sum to 100, or to 0 before a first release is promoted. */
  releases: DesiredRelease[];
  /** Its evidence is counted, while it is set. */
  split: { rollout: string; canary: string; baseline: string; slow: { p75Ms: number; p95Ms: number } | null } | null;
  /** Reachable on the preview port, whatever its weight. */
  preview: string | null;
  /**
   * A first release that was verified: other services reach it at the internal address, since what comes `after` it may
   * need it to become healthy. Its routes open with its weight.
   */
  early: string | null;
}

const reached = (rollout: Rollout, phase: Phase): boolean => PHASES.indexOf(rollout.phase) >= PHASES.indexOf(phase);

/**
 * What traffic and instances of an environment ought to be, from what is stored and nothing else. The engine compares
 * it with what it sees and does the difference, so it does not matter where a former controller stopped.
 */
export function desiredServices(deployments: Deployment[], rollouts: Rollout[]): DesiredService[] {
  return deployments.map((deployment) => desiredService(deployment, rollouts));
}

/**
 * Where the public routes ought to be open: where they were promoted last, and with the switch of a rollout that moves
 * them, there. So a rollout that is taken back before its promotion, whenever that is, has left the port as it was.
 */
export function desiredListen(promoted: Listen, rollouts: Rollout[]): Listen {
  const moving = rollouts.find((each) => each.end === null && each.phase === 'promoting' && each.opens !== null);
  return moving?.opens?.to ?? promoted;
}

function desiredService(deployment: Deployment, rollouts: Rollout[]): DesiredService {
  const { service } = deployment;
  const mine = rolloutsOf(service, rollouts);
  const active = activeOf(mine);
  const part = active?.services.find((each) => each.service === service);
  const plain: DesiredService = {
    service,
    unit: active?.id ?? 'settled',
    releases: deployment.current === null ? [] : [{ release: deployment.current, weight: 100, run: true }],
    split: null,
    preview: null,
    early: null,
  };
  const desired =
    removing(plain, rollouts, active) ??
    (active === undefined || part === undefined ? plain : rolling(plain, active, part));
  const kept = keptForALook(mine, service);
  if (kept !== null && !desired.releases.some((each) => each.release === kept))
    return {
      ...desired,
      releases: [...desired.releases, { release: kept, weight: 0, run: true }],
      preview: desired.preview ?? kept,
    };
  return desired;
}

/** A service that goes: without traffic from the switch on, and hot as long as a rollback would give it back. */
function removing(plain: DesiredService, rollouts: Rollout[], active: Rollout | undefined): DesiredService | null {
  for (const rollout of rollouts) {
    const removed = rollout.removes.find((each) => each.service === plain.service);
    if (removed === undefined || rollout.end !== null || !reached(rollout, 'promoting')) continue;
    if (reached(rollout, 'contracting')) continue;
    // A later deploy may have it again.
    if (active !== undefined && active.createdAt > rollout.createdAt) continue;
    const hot = { release: removed.release, weight: 0, run: true };
    return { ...plain, unit: rollout.id, releases: removed.kind === 'worker' ? [] : [hot] };
  }
  return null;
}

function rolling(plain: DesiredService, rollout: Rollout, part: RolloutService): DesiredService {
  const { to, from } = part;
  if (to === from) return plain;
  const share = shareOf(rollout, part);
  const releases: DesiredRelease[] = [];
  // What it needs is about to be taken away, so it is gone before the contract begins.
  const over = reached(rollout, 'contracting');
  if (from !== null && !over && (staysHot(part) || !reached(rollout, 'promoting')))
    releases.push({ release: from, weight: 100 - share, run: !hasGivenWay(rollout, part) });
  if (mayStart(rollout, part)) releases.push({ release: to, weight: share, run: true });
  const analysis = rollout.analysis[part.service];
  return {
    ...plain,
    releases,
    split:
      analysis === undefined || from === null || !reached(rollout, 'canary') || over
        ? null
        : { rollout: evidenceKey(rollout.id, part.service), canary: to, baseline: from, slow: analysis.slow },
    preview: mayStart(rollout, part) ? to : null,
    early: from === null && rollout.verified.includes(part.service) && !reached(rollout, 'canary') ? to : null,
  };
}

/** A worker shares its queue with its successor, and what cannot run twice stops anyway: neither is kept hot. */
export const staysHot = (part: Pick<RolloutService, 'kind' | 'alone'>): boolean =>
  part.kind !== 'worker' && part.alone !== true;

/** What the edge files a service's evidence under: each service of a unit is judged by its own. */
export const evidenceKey = (rollout: string, service: string): string => `${rollout}/${service}`;

/** The new release's share of sessions, in percent. */
function shareOf(rollout: Rollout, part: RolloutService): number {
  if (reached(rollout, 'contracting')) return 100;
  // Nothing can be held back with a release that does not exist, or is not kept running.
  if (reached(rollout, 'promoting')) return part.from === null || !staysHot(part) ? 100 : 100 - rollout.policy.holdback;
  if (rollout.phase !== 'canary') return 0;
  // Nobody else can serve what is new; it is reached only by those whom a canary of the unit sends there.
  if (part.from === null) return 100;
  const steps = rollout.policy.canary;
  return steps[Math.min(rollout.step, steps.length - 1)]?.weight ?? 0;
}

/** A service whose schema or whose predecessor comes first, or that leans on another new one, starts later, in verifying. */
export const startsEarly = (each: RolloutService): boolean =>
  !each.migrates && each.after.length === 0 && !mustGiveWay(each);

function mayStart(rollout: Rollout, part: RolloutService): boolean {
  if (!reached(rollout, 'starting')) return false;
  if (startsEarly(part)) return true;
  // Whatever has all traffic runs, paused or not.
  if (mustGiveWay(part) && !hasGivenWay(rollout, part) && !reached(rollout, 'promoting')) return false;
  return reached(rollout, 'verifying') && part.after.every((name) => rollout.verified.includes(name));
}

/** A failed release whose instances stay for a look, until the next rollout of the service. */
function keptForALook(newestFirst: Rollout[], service: string): string | null {
  const [latest] = newestFirst;
  if (latest === undefined || latest.end === null || latest.end === 'complete' || latest.settled) return null;
  if (!latest.policy.keepFailed) return null;
  const part = latest.services.find((each) => each.service === service);
  // A worker that nobody relies on any more would still take its share of the queue, and some cannot run beside another.
  return part !== undefined && staysHot(part) && mayStart(latest, part) ? part.to : null;
}
