import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import type { Level } from '../ui/State.tsx';

/** Where a rollout is, in a word with its mark. */
export function stateOf({ end, phase, paused }: Pick<RolloutView, 'end' | 'phase' | 'paused'>): [Level, string] {
  if (end === 'complete') return ['healthy', 'complete'];
  if (end === 'failed') return ['critical', 'failed'];
  if (end !== null) return ['stopped', end];
  if (paused !== null) return ['warning', `paused: ${PAUSES[paused.reason] ?? paused.reason}`];
  return ['going', phase];
}

const PAUSES: Readonly<Record<string, string>> = {
  approval: 'waits for approval',
  inconclusive: 'no verdict',
  'unknown-job': 'a job has no recorded end',
  contract: 'contract',
  operator: 'by a person',
};

/** `api@42, web@7`; of one that brings none, what it takes down. */
export function titleOf({
  services,
  removes,
  opens,
  id,
}: Pick<RolloutView, 'services' | 'removes' | 'opens' | 'id'>): string {
  if (services.length > 0) return services.map(({ to }) => to).join(', ');
  if (removes.length > 0) return `the end of ${removes.map(({ service }) => service).join(', ')}`;
  return opens === null ? id : `port ${opens.port}`;
}

/** Labels of its releases, each once. */
export const labelsOf = ({ services }: Pick<RolloutView, 'services'>): string[] => [
  ...new Set(services.flatMap(({ label }) => (label === null ? [] : [label]))),
];
