import type { ChangingId } from './contract/paths.ts';

/**
 * What must work while the store is away, and at once: taking back, and the processes of the server itself. Of the rest
 * nothing is begun that cannot be written down first.
 */
const HURRIED: ReadonlySet<ChangingId> = new Set<ChangingId>([
  'rollback',
  'steerRollout',
  'answerApproval',
  'stopServer',
  'restartEdge',
]);

export const isHurried = (id: ChangingId): boolean => HURRIED.has(id);
