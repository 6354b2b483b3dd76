import { allNew, differencesOf, holdsData, isForeign, remedyOf } from './compare.ts';
import type { Difference } from './compare.ts';
import { isBuildBucket } from './names.ts';
import { addressOf, isOwn } from './resource.ts';
import type { Address, Desired, Kind, Observed } from './resource.ts';

/** What is declared against what is there. */

export type PlanAction = 'create' | 'update' | 'replace' | 'keep' | 'unmanaged' | 'unknown';

export interface PlanLine {
  /** `unmanaged`: it is there and in no file, and is left alone. `unknown`: its kind could not be looked at. */
  action: PlanAction;
  address: Address;
  kind: Kind;
  name: string;
  /** Null for what is unmanaged. */
  desired: Desired | null;
  observed: Observed | null;
  /** On what is created, all that it will be. */
  differences: Difference[];
  /** Why, where that says more than the action does. */
  reason: string | null;
  /** Replacing it loses what is in there. */
  loses: boolean;
}

export interface Plan {
  lines: PlanLine[];
  /** What the file asks for and nobody can do to what is there: nothing may be changed until the file says otherwise. */
  impossible: { address: Address; reason: string }[];
}

/** What was seen, and of which kinds nothing is known. */
export interface Sight {
  observed: readonly Observed[];
  unknown: readonly { kind: Kind; problem: { message: string } }[];
}

/** A line that is to be carried out; `observed` is null for what is not there. */
export type Change =
  | { action: 'create'; desired: Desired; observed: null }
  | { action: 'update' | 'replace'; desired: Desired; observed: Observed };

/**
 * @param desired all that the file asks for.
 * @param wanted those of them that this is about (`families.ts`); all by default.
 */
export function planOf(
  desired: readonly Desired[],
  sight: Sight,
  scope: { project: string; environment: string },
  wanted: readonly Desired[] = desired,
): Plan {
  const there = new Map(sight.observed.map((each) => [addressOf(each), each]));
  const unknown = new Map(sight.unknown.map(({ kind, problem }) => [kind, problem.message]));
  const impossible: Plan['impossible'] = [];
  const lines = wanted.map((each): PlanLine => {
    const blind = unknown.get(each.kind);
    if (blind !== undefined) return lineOf('unknown', each, null, [], `nothing is known of it: ${blind}`);
    const observed = there.get(addressOf(each)) ?? null;
    if (observed === null) return missing(each);
    const line = present(each, observed, scope);
    if (line.action === 'keep' && line.differences.some(({ why }) => why !== null) && line.reason !== null)
      impossible.push({ address: line.address, reason: line.reason });
    return line;
  });
  const about = new Set(wanted.map(({ kind }) => kind));
  const isAll = wanted.length === desired.length;
  const known = new Set(desired.map(addressOf));
  const accounts = new Set(desired.flatMap(({ kind, name }) => (kind === 'account' ? [name] : [])));
  for (const observed of sight.observed) {
    if (known.has(addressOf(observed)) || !(isAll || about.has(observed.kind))) continue;
    if (isTold(observed, scope, accounts)) lines.push(unmanaged(observed, scope));
  }
  return { lines: followReplaced(lines), impossible };
}

/** Of a plan, in the order of its lines. */
export const changesOf = ({ lines }: Plan): Change[] =>
  lines.flatMap(({ action, desired, observed }): Change[] => {
    if (desired === null) return [];
    if (action === 'create') return [{ action, desired, observed: null }];
    return (action === 'update' || action === 'replace') && observed !== null ? [{ action, desired, observed }] : [];
  });

function missing(desired: Desired): PlanLine {
  if (desired.kind !== 'service') return lineOf('create', desired, null, allNew(desired), null);
  return lineOf('keep', desired, null, [], 'not deployed yet: it comes with `evenkeel deploy`');
}

function present(desired: Desired, observed: Observed, scope: { project: string; environment: string }): PlanLine {
  const foreign = isForeign(observed, scope);
  const differences = differencesOf(desired, observed, foreign);
  if (desired.kind === 'service') {
    const later = differences.length === 0 ? null : 'it gets this with the next `evenkeel deploy`';
    const reasons = [stateOf(observed), later].filter((each) => each !== null);
    return lineOf('keep', desired, observed, withoutWhy(differences), reasons.join('; ') || null);
  }
  const whose = foreign ? ownerOf(observed) : null;
  // Whoever's labels it bears keeps it: nobody's clean-up but theirs may take it for their own.
  const asked: Desired = foreign ? { ...desired, labels: {} } : desired;
  // One that could not be made stays, takes the name, and nothing in it can be made or changed.
  if (desired.kind === 'sql-instance' && observed.state === 'failed' && !foreign)
    return lineOf('replace', asked, observed, differences, stateOf(observed));
  const because = differences.flatMap(({ why }) => (why === null ? [] : [why])).join('; ');
  switch (remedyOf(desired.kind, differences)) {
    case 'none':
      return lineOf('keep', asked, observed, [], whose ?? stateOf(observed));
    case 'update':
      return lineOf('update', asked, observed, differences, whose ?? stateOf(observed));
    case 'replace':
      if (!foreign) return lineOf('replace', asked, observed, differences, because);
      return lineOf('keep', asked, observed, differences, `${because}, and ${whose ?? 'it is not ours'}`);
    case 'never':
      return lineOf('keep', asked, observed, differences, `${because}: write what it is, or name another one`);
  }
}

/** What lies on an instance that is made anew is gone with the former one. */
function followReplaced(lines: PlanLine[]): PlanLine[] {
  const replaced = new Set(lines.filter(({ action }) => action === 'replace').map(({ address }) => address));
  return lines.map((line) => {
    const { desired, kind } = line;
    const isPart = kind === 'sql-database' || kind === 'sql-user';
    if (desired === null || !isPart || !desired.needs.some((need) => need.startsWith('sql-') && replaced.has(need)))
      return line;
    return lineOf('create', desired, null, allNew(desired), 'its instance is made anew');
  });
}

/** Google has hundreds of APIs on by itself, and other members' roles are nobody's business here. */
function isTold(
  observed: Observed,
  scope: { project: string; environment: string },
  accounts: ReadonlySet<string>,
): boolean {
  const { kind } = observed;
  if (kind === 'api' || kind === 'audit-logs' || kind === 'log-retention') return false;
  if (kind === 'role') return accounts.has(observed.attributes.account);
  // Builds make it, and not the file.
  if (kind === 'bucket' && isBuildBucket(observed.name) && !isForeign(observed, scope)) return false;
  // Jobs come and go with deploys.
  return kind !== 'job' || isForeign(observed, scope);
}

function unmanaged(observed: Observed, scope: { project: string; environment: string }): PlanLine {
  const address = addressOf(observed);
  const reason = isOwn(observed.labels, scope)
    ? `it is not in the file any more: \`evenkeel cloud delete ${address}\``
    : ownerOf(observed);
  return {
    action: 'unmanaged',
    address,
    kind: observed.kind,
    name: observed.name,
    desired: null,
    observed,
    differences: [],
    reason,
    loses: false,
  };
}

function ownerOf({ labels }: Observed): string {
  const project = labels['evenkeel-project'];
  const environment = labels['evenkeel-environment'];
  if (project === undefined) return 'evenkeel did not make it, and no clean-up takes it';
  return `it belongs to ${project}${environment === undefined ? '' : ` in ${environment}`}`;
}

function stateOf(observed: Observed): string | null {
  if (observed.state === 'failed') return `it failed${observed.problem === undefined ? '' : `: ${observed.problem}`}`;
  if (observed.state === 'changing') return 'a change of it has not ended yet';
  if (observed.state === 'stopped') return 'it is stopped';
  return observed.kind === 'secret' && observed.hasValue === false ? 'it has no value yet' : null;
}

const withoutWhy = (differences: readonly Difference[]): Difference[] =>
  differences.map((each) => ({ ...each, why: null }));

function lineOf(
  action: PlanAction,
  desired: Desired,
  observed: Observed | null,
  differences: Difference[],
  reason: string | null,
): PlanLine {
  const { kind, name } = desired;
  const loses = action === 'replace' && holdsData(kind);
  return { action, address: addressOf(desired), kind, name, desired, observed, differences, reason, loses };
}
