import type { JournalView, RolloutView } from '../rollouts.ts';

export interface PhaseStep {
  phase: string;
  /** As a person says it. */
  name: string;
  state: 'done' | 'now' | 'todo' | 'failed' | 'paused';
  /** When it began; null: it has not, or that is not known. */
  at: number | null;
  /** Time spent in it so far, ms; null before it began, or when its begin is not known. */
  ms: number | null;
}

const NAMES: readonly [string, string][] = [
  ['building', 'build'],
  ['starting', 'start'],
  ['migrating', 'migrate'],
  ['verifying', 'verify'],
  ['canary', 'canary'],
  ['promoting', 'promote'],
  ['watching', 'watch'],
  ['contracting', 'contract'],
];

/** The way of a rollout through its phases, with times from its journal. What it does not have is left out. */
export function phaseSteps(rollout: RolloutView, entries: readonly JournalView[], now: number): PhaseStep[] {
  const names = NAMES.filter(
    ([phase]) =>
      (phase !== 'canary' || hasCanary(rollout, entries)) && (phase !== 'contracting' || hasContract(rollout, entries)),
  );
  const current = rollout.end === 'complete' ? names.length : names.findIndex(([phase]) => phase === rollout.phase);
  return names.map(([phase, name], index) => {
    const state = index < current ? 'done' : index > current ? 'todo' : stateNow(rollout);
    const at = entries.find(({ from, to }) => to === phase && from !== phase)?.at ?? null;
    return { phase, name, state, at, ms: state === 'todo' ? null : timeIn(phase, at, rollout, entries, now) };
  });
}

function hasCanary(rollout: RolloutView, entries: readonly JournalView[]): boolean {
  if (rollout.canary.steps.length === 0) return false;
  // A first deploy and a worker have nothing to be compared with, whatever the policy says.
  const skipped = entries.some(({ from, to }) => from === 'verifying' && to === 'promoting');
  return !skipped && rollout.services.some(({ from, kind }) => from !== null && kind !== 'worker');
}

/** One that was superseded in its window has none any more. */
function hasContract({ services, end }: RolloutView, entries: readonly JournalView[]): boolean {
  if (end !== null) return entries.some(({ to }) => to === 'contracting');
  return services.some(({ contract = null }) => contract !== null);
}

function stateNow(rollout: RolloutView): PhaseStep['state'] {
  if (rollout.end !== null) return 'failed';
  return rollout.paused === null ? 'now' : 'paused';
}

function timeIn(
  phase: string,
  entered: number | null,
  { endedAt }: RolloutView,
  entries: readonly JournalView[],
  now: number,
): number | null {
  if (entered === null) return null;
  const left = entries.find(({ at, from, to }) => at >= entered && from === phase && to !== phase)?.at;
  return Math.max(0, (left ?? endedAt ?? now) - entered);
}
