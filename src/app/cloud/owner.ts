import { isOwn, type Desired, type Observed } from '../../domain/cloud/resource.ts';
import { addressOf } from '../../domain/cloud/resource.ts';
import type { Scope } from './desk-deps.ts';

export type Owner = 'ours' | 'elsewhere' | 'foreign';

/** Whose something is. What can bear no label is ours when the file names it, or when what it is part of is ours. */
export function ownerOf(
  observed: Observed,
  { scope, desired, all }: { scope: Scope; desired: readonly Desired[]; all: readonly Observed[] },
): Owner {
  if (isOwn(observed.labels, scope)) return 'ours';
  if ('evenkeel-project' in observed.labels) return 'elsewhere';
  if (observed.kind === 'sql-database' || observed.kind === 'sql-user') {
    const { instance } = observed.attributes;
    const whole = all.find(({ kind, name }) => kind === 'sql-instance' && name === instance);
    return whole === undefined ? 'foreign' : ownerOf(whole, { scope, desired, all });
  }
  if (!UNLABELLED.has(observed.kind)) return 'foreign';
  return desired.some((each) => addressOf(each) === addressOf(observed)) ? 'ours' : 'foreign';
}

const UNLABELLED: ReadonlySet<Observed['kind']> = new Set([
  'account',
  'role',
  'connector',
  'api',
  'budget',
  'uptime-check',
  'alert-policy',
  'alert-channel',
]);

/** `chat/staging`; null for what evenkeel does not look after. */
export function belongsTo({ labels }: Observed): string | null {
  const project = labels['evenkeel-project'];
  return project === undefined ? null : `${project}/${labels['evenkeel-environment'] ?? '?'}`;
}
