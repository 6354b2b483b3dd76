import { isChanging, type OperationId, paths } from '../../../src/api/contract/paths.ts';
import type { ActView } from '../../../src/api/contract/audit.ts';

/** `setSecrets` as `Set secrets`. One that this dashboard does not know yet reads as well. */
export function operationInWords(operation: string): string {
  const words = operation.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** What can be in the audit, by its words. */
export const OPERATIONS: readonly { id: string; words: string }[] = (Object.keys(paths) as OperationId[])
  .filter(isChanging)
  .map((id) => ({ id, words: operationInWords(id) }))
  .toSorted((a, b) => a.words.localeCompare(b.words));

export function placeInWords({ project, environment, service, organization }: ActView): string {
  if (project === '*' && environment === '*') return 'all environments';
  if (project !== null) return [project, environment, service].filter((part) => part !== null).join(' / ');
  return organization === null ? 'the server' : 'the organization';
}
