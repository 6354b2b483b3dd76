import { isDeepStrictEqual } from 'node:util';
import { staysHot } from '../../../src/domain/rollout/desired.ts';
import type { DesiredService } from '../../../src/domain/rollout/desired.ts';
import { PHASES, type Phase, type Rollout, type RolloutService } from '../../../src/domain/rollout/rollout.ts';
import type { Step } from './look.ts';

/** Rules about what is judged and lost, and about units of several services. */

function must(holds: boolean, rule: string, seen: unknown): asserts holds {
  if (!holds) throw new Error(`${rule}: ${JSON.stringify(seen)}`);
}

const reached = (rollout: Rollout, phase: Phase): boolean => PHASES.indexOf(rollout.phase) >= PHASES.indexOf(phase);

/** In the canary, at its gates and in the window, whatever it waits for; a person's word comes before all of it. */
export function checkJudged({ before, observed, decision }: Step): void {
  const { next } = decision;
  const where = {
    phase: before.phase,
    paused: before.paused,
    next: next.phase,
    end: next.end,
    reason: decision.reason,
  };
  const asked = observed.requests.some((each) => each.seq > before.requestSeq);
  if (before.end !== null || asked || !['canary', 'watching'].includes(before.phase)) return;
  if (before.phase === 'canary')
    for (const each of before.services)
      must(!isLost(observed, each) || next.end !== null, 'a canary that is lost fails', { service: each, ...where });
  if (next.end !== null || next.phase !== before.phase) return;
  for (const { service } of before.services) {
    if (before.analysis[service] === undefined) continue;
    const { verdict = null, evidence } = next.analysis[service] ?? {};
    const seen = observed.services[service]?.evidence;
    must(verdict !== null && isDeepStrictEqual(evidence, seen), 'analysis goes on at gates and in the window', where);
    must(verdict.verdict !== 'fail', 'proof takes it back, whatever it waits for', { verdict, ...where });
  }
}

/** Nobody answers for it, by the word of an edge that finds the former release well. */
function isLost({ edgeReachable, services }: Step['observed'], { service, kind, from }: RolloutService): boolean {
  const { to, from: former } = services[service] ?? {};
  if (to === undefined || kind === 'worker' || kind === 'static' || to.wanted === 0) return false;
  if (from !== null && (former?.healthy ?? 0) === 0) return false;
  return to.running === 0 || (edgeReachable && to.healthy === 0 && !to.starting);
}

/** What ought to be of all services of a rollout. */
export function checkUnit(rollout: Rollout, desired: readonly DesiredService[]): void {
  const { id, phase, end } = rollout;
  const where = { id, phase, end, desired };
  if (end !== null) return;
  const released = rollout.services.map((part) => {
    const of = desired.find(({ service }) => service === part.service);
    return { part, to: of?.releases.find(({ release }) => release === part.to), unit: of?.unit };
  });
  // What has nothing beside it cannot be split.
  const split = released.filter(({ part, unit }) => part.from !== null && staysHot(part) && unit === id);
  must(new Set(split.map(({ to }) => to?.weight ?? 0)).size <= 1, 'a unit moves as one', where);
  if (reached(rollout, 'canary')) return;
  for (const { part, to } of released)
    must(to?.run !== true || part.after.every((name) => rollout.verified.includes(name)), 'a unit starts in order', {
      service: part.service,
      ...where,
    });
}
