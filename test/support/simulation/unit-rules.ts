import { desiredServices } from '../../../src/domain/rollout/desired.ts';
import { PHASES } from '../../../src/domain/rollout/rollout.ts';
import type { EdgeService } from '../../../src/domain/traffic/protocol.ts';
import { checkUnit } from '../rollout/unit-rules.ts';
import { BrokenRule } from './broken-rule.ts';
import type { Truth } from './rules.ts';

/** Rules about several services that roll out together. */

/** What the edge was told: a session gets the new release of every service that is compared, or of none. */
export function checkSplits(table: Iterable<EdgeService>): void {
  const units = new Map<string, Map<string, number>>();
  for (const { unit, split, service, releases } of table) {
    if (split === null) continue;
    const weight = releases.find(({ release }) => release === split.canary)?.weight ?? 0;
    units.set(unit, (units.get(unit) ?? new Map<string, number>()).set(service, weight));
  }
  for (const [unit, weights] of units)
    if (new Set(weights.values()).size > 1)
      throw new BrokenRule('a unit moves as one', { unit, weights: [...weights] });
}

/** An instance is about to start: what it comes after is verified, unless all of it has been promoted. */
export function checkOrder(release: string, { rollouts }: Truth): void {
  for (const { id, end, phase, services, verified } of rollouts) {
    const part = services.find(({ to }) => to === release);
    if (part === undefined || end !== null || PHASES.indexOf(phase) >= PHASES.indexOf('canary')) continue;
    if (!part.after.every((name) => verified.includes(name)))
      throw new BrokenRule('a unit starts in order', { id, release, after: part.after, verified });
  }
}

/** What is stored, at any moment. */
export function checkUnits({ rollouts, deployments, up }: Truth): void {
  if (!up) return;
  const desired = desiredServices(deployments, rollouts);
  for (const rollout of rollouts) checkUnit(rollout, desired);
}

/** Once everything has ended: of a unit that was taken back nothing is current. */
export function checkTakenBack({ rollouts, deployments }: Truth): void {
  for (const { id, end, services } of rollouts) {
    if (end === null || end === 'complete') continue;
    for (const { to } of services) {
      const again = rollouts.some((other) => other.id !== id && other.services.some((part) => part.to === to));
      if (!again && deployments.some(({ current }) => current === to))
        throw new BrokenRule('a unit is taken back as one', { id, end, current: to });
    }
  }
}
