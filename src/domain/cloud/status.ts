import { plural } from '../../lib/format.ts';
import { type Address, addressOf, type Desired, type Kind, type Observed } from './resource.ts';

/** What was seen of a kind: everything there is, or why nothing is known of it. */
export type Seen =
  | { kind: Kind; resources: readonly Observed[] }
  | { kind: Kind; problem: { message: string; next: string | null } };

/** `missing`: it was looked for and is not there; `unknown`: nobody could look. */
export type StatusState = Observed['state'] | 'missing' | 'unknown';

export interface StatusLine {
  address: Address;
  kind: Kind;
  name: string;
  state: StatusState;
  /** Attributes that are not as the file says. */
  differs: readonly string[];
  /** A secret that is there and has no value. */
  withoutValue: boolean;
  url: string | null;
  /** What the provider says of one that failed, or why nothing is known. */
  problem: string | null;
  /** The state as people read it, such as `ready`, `missing`, `not deployed yet`, `ready, without a value`. */
  words: string;
  /** The next command to type; null: none is needed. */
  next: string | null;
}

export interface Status {
  lines: StatusLine[];
  counts: Record<StatusState, number>;
  /** How many alert policies of the file are there; null: not known. */
  alertPolicies: number | null;
  /** `well` only if everything was seen, is there, is ready and as the file says. */
  level: 'well' | 'attention' | 'failed' | 'unknown';
  /** Why, in a sentence with the numbers. */
  reason: string;
}

/**
 * Everything that the file asks for, as it is. What was not seen is never said to be missing, nor what is missing to be
 * well.
 *
 * @param differences attributes of each resource that are not as the file says
 * @param made names of secrets that set-up gives their values; a person gives the others theirs
 */
export function statusOf(
  desired: readonly Desired[],
  seen: readonly Seen[],
  { differences, made }: { differences: ReadonlyMap<Address, readonly string[]>; made: ReadonlySet<string> },
): Status {
  const there = new Map<Address, Observed>();
  const blind = new Map<Kind, { message: string; next: string | null }>();
  const looked = new Set<Kind>();
  for (const look of seen) {
    looked.add(look.kind);
    if ('problem' in look) blind.set(look.kind, look.problem);
    else for (const resource of look.resources) there.set(addressOf(resource), resource);
  }
  const lines = desired.map((each): StatusLine => {
    const address = addressOf(each);
    const problem = blind.get(each.kind) ?? (looked.has(each.kind) ? null : NOT_LOOKED);
    const observed = there.get(address);
    const own = {
      address,
      kind: each.kind,
      name: each.name,
      url: null,
      withoutValue: false,
      differs: [],
      problem: null,
    };
    // One that was seen before the rest of its kind failed is still there.
    if (observed !== undefined) return { ...own, ...wordsOf(observed, differences.get(address) ?? [], made) };
    if (problem !== null) {
      return { ...own, state: 'unknown', problem: problem.message, words: 'unknown', next: problem.next };
    }
    const isService = each.kind === 'service';
    return {
      ...own,
      state: 'missing',
      words: isService ? 'not deployed yet' : 'missing',
      next: isService ? 'evenkeel deploy' : 'evenkeel cloud setup',
    };
  });
  const counts = { ready: 0, changing: 0, stopped: 0, failed: 0, missing: 0, unknown: 0 };
  for (const { state } of lines) counts[state] += 1;
  const policies = lines.filter(({ kind }) => kind === 'alert-policy');
  const known = policies.every(({ state }) => state !== 'unknown');
  return {
    lines,
    counts,
    alertPolicies: known ? policies.filter(({ state }) => state !== 'missing').length : null,
    ...verdictOf(lines, counts),
  };
}

const NOT_LOOKED = { message: 'it was not looked at', next: null };

function wordsOf(
  observed: Observed,
  differs: readonly string[],
  made: ReadonlySet<string>,
): Pick<StatusLine, 'state' | 'differs' | 'withoutValue' | 'url' | 'problem' | 'words' | 'next'> {
  const withoutValue = observed.kind === 'secret' && 'hasValue' in observed && !observed.hasValue;
  const remarks = [
    ...(withoutValue ? ['without a value'] : []),
    ...(differs.length > 0 ? [`not as the file says: ${differs.join(', ')}`] : []),
  ];
  const wakes = observed.kind === 'sql-instance' || observed.kind === 'service';
  const nexts = [
    observed.state === 'stopped' && wakes ? `evenkeel cloud start ${observed.name}` : null,
    withoutValue ? (made.has(observed.name) ? 'evenkeel cloud setup' : `evenkeel cloud secret ${observed.name}`) : null,
    differs.length > 0 ? 'evenkeel cloud plan' : null,
  ];
  return {
    state: observed.state,
    differs,
    withoutValue,
    url: observed.url ?? null,
    problem: observed.problem ?? null,
    words: [observed.state, ...remarks].join(', '),
    next: nexts.find((next) => next !== null) ?? null,
  };
}

function verdictOf(lines: readonly StatusLine[], counts: Status['counts']): Pick<Status, 'level' | 'reason'> {
  const off = lines.filter(({ differs }) => differs.length > 0).length;
  const empty = lines.filter(({ withoutValue }) => withoutValue).length;
  const remarks = [
    counts.failed > 0 ? `${counts.failed} failed` : null,
    counts.missing > 0 ? `${counts.missing} missing` : null,
    counts.unknown > 0 ? `${counts.unknown} unknown` : null,
    counts.stopped > 0 ? `${counts.stopped} stopped` : null,
    counts.changing > 0 ? `${counts.changing} changing` : null,
    off > 0 ? `${off} not as the file says` : null,
    empty > 0 ? `${plural(empty, 'secret')} without a value` : null,
  ].filter((remark) => remark !== null);
  const ready = `${counts.ready} of ${plural(lines.length, 'resource')} ready`;
  const reason = remarks.length === 0 ? ready : `${ready}; ${remarks.join(', ')}`;
  if (counts.failed > 0) return { level: 'failed', reason };
  if (counts.unknown > 0) return { level: 'unknown', reason };
  return { level: remarks.length === 0 ? 'well' : 'attention', reason };
}
