import { cloudName, NAME_LIMITS } from '../names.ts';
import { type Address, addressOf, isOwn, type Kind, type Observed } from '../resource.ts';
import { describe } from './describe.ts';
import { whySeenProduction } from './production.ts';

export interface CleanupScope {
  project: string;
  environment: string;
  cloudProject: string;
}

/** One that a clean-up would delete. */
export interface CleanupItem {
  address: Address;
  observed: Observed;
  /** Kind, size and age in words, such as `bucket, 12 GiB in 1,204 objects, 3 days old`. */
  description: string;
  /** evenkeel made it for this environment; false: it is here because everything was asked for. */
  own: boolean;
  why: string;
  /** It holds data, or may: then it is only deleted after its name was typed. Null: it does not. */
  protection: string | null;
  /** What goes with it, without being asked for. */
  takes: Address[];
}

/** One that stays, and why. */
export interface Apart {
  address: Address;
  observed: Observed;
  description: string;
  reason: string;
  /** Whether `--all` would delete it. */
  withAll: boolean;
}

export interface CleanupPlan {
  /** In the order of deletion. */
  items: CleanupItem[];
  apart: Apart[];
}

/** What is never deleted by a clean-up: settings of the whole project, of which evenkeel made none. */
const SETTINGS: readonly Kind[] = ['api', 'audit-logs', 'log-retention'];

/** Those in one row are deleted side by side, after those before: what watches, what uses, what is used. */
const ORDER: readonly (readonly Kind[])[] = [
  ['uptime-check', 'alert-policy'],
  ['service', 'job', 'cluster'],
  ['alert-channel', 'role', 'connector', 'sql-user', 'bucket', 'repository', 'secret', 'budget'],
  ['sql-database', 'account'],
  ['sql-instance'],
];

const stageOf = (kind: Kind): number => ORDER.findIndex((kinds) => kinds.includes(kind));

/**
 * Parts what was seen into what would go and what stays. By default only what evenkeel labelled for this environment goes;
 * with `all` the rest of the project does too, but for what belongs to Google, to the project as a whole, or to another
 * environment's production.
 *
 * @param now wall time, ms
 */
export function planCleanup(
  seen: readonly Observed[],
  scope: CleanupScope,
  { all, now }: { all: boolean; now: number },
): CleanupPlan {
  const items: CleanupItem[] = [];
  const apart: Apart[] = [];
  for (const observed of seen) {
    if (SETTINGS.includes(observed.kind)) continue;
    const address = addressOf(observed);
    const description = describe(observed, now);
    const { own, why } = ownership(observed, seen, scope);
    const kept = own ? null : reasonToKeep(observed, seen, scope);
    if (kept !== null) apart.push({ address, observed, description, reason: kept, withAll: false });
    else if (!own && !all) apart.push({ address, observed, description, reason: why, withAll: true });
    else items.push({ address, observed, description, own, why, protection: protectionOf(observed), takes: [] });
  }
  const parents = new Map(items.map((item) => [item.address, item]));
  const alone = items.filter((item) => {
    const parent = parents.get(parentOf(item.observed) ?? item.address);
    if (parent === undefined || parent === item) return true;
    parent.takes.push(item.address);
    return false;
  });
  return { items: alone.toSorted(inOrder), apart: apart.toSorted(inOrder) };
}

function inOrder(a: { address: Address; observed: Observed }, b: { address: Address; observed: Observed }): number {
  return stageOf(a.observed.kind) - stageOf(b.observed.kind) || (a.address < b.address ? -1 : 1);
}

/** What it is part of, and is deleted with: dropping a user first would fail, since the tables are theirs. */
export function parentOf(observed: Observed): Address | null {
  return observed.kind === 'sql-database' || observed.kind === 'sql-user'
    ? `sql-instance/${observed.attributes.instance}`
    : null;
}

function ownership(observed: Observed, seen: readonly Observed[], scope: CleanupScope): { own: boolean; why: string } {
  if (isOwn(observed.labels, scope)) return { own: true, why: 'evenkeel made it for this environment' };
  if (observed.kind === 'connector' && observed.name === cloudName(scope, 'net', NAME_LIMITS.connector)) {
    return { own: true, why: 'it has the name that evenkeel gives it in this environment, and can bear no labels' };
  }
  const holder = holderOf(observed, seen);
  if (holder !== undefined && isOwn(holder.labels, scope)) {
    return { own: true, why: `part of ${addressOf(holder)}, which evenkeel made` };
  }
  const other = otherOwner(observed, seen);
  if (other !== null) return { own: false, why: `evenkeel made it for ${other}` };
  return { own: false, why: 'evenkeel did not make it' };
}

/** Some things bear no labels: then those of what they belong to count. */
function holderOf(observed: Observed, seen: readonly Observed[]): Observed | undefined {
  const address = observed.kind === 'role' ? (`account/${observed.attributes.account}` as const) : parentOf(observed);
  return address === null ? undefined : seen.find((each) => addressOf(each) === address);
}

function otherOwner(observed: Observed, seen: readonly Observed[]): string | null {
  const labels = holderOf(observed, seen)?.labels ?? observed.labels;
  const [project, environment] = [labels['evenkeel-project'], labels['evenkeel-environment']];
  return project === undefined || environment === undefined ? null : `${project}, ${environment}`;
}

/** Why not even `--all` deletes it; null: it does. */
function reasonToKeep(observed: Observed, seen: readonly Observed[], scope: CleanupScope): string | null {
  const labels = holderOf(observed, seen)?.labels ?? observed.labels;
  if (whySeenProduction(labels, seen) !== null) {
    const environment = labels['evenkeel-environment'] ?? '';
    return `evenkeel made it for ${otherOwner(observed, seen) ?? environment}: cleaned up with --env ${environment} only`;
  }
  if (observed.kind === 'role' && holderOf(observed, seen) === undefined) return 'a right of somebody else';
  const account = observed.kind === 'account' ? observed.name : null;
  if (account !== null && (/^\d+-compute$/.test(account) || account === scope.cloudProject)) {
    return 'an account that Google made for the project';
  }
  if (observed.kind === 'role' && reasonToKeep(holderOf(observed, seen) as Observed, seen, scope) !== null) {
    return 'a right of an account that stays';
  }
  return observed.kind === 'budget' ? 'a budget of somebody else' : null;
}

function protectionOf({ kind, size }: Observed): string | null {
  if (kind === 'sql-instance' || kind === 'sql-database') return 'a database, with its backups';
  if (kind === 'cluster') return 'a cluster, with all that runs on it';
  if (kind !== 'bucket') return null;
  const { bytes = null, objects = null } = size ?? {};
  if (bytes === null && objects === null) return 'a bucket that may not be empty';
  return (bytes ?? 0) > 0 || (objects ?? 0) > 0 ? 'a bucket that is not empty' : null;
}
