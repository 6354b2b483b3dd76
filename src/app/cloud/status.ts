import type { CloudList, CloudStatus } from '../../api/contract/cloud/look.ts';
import { type Plan, planOf } from '../../domain/cloud/plan.ts';
import { type Address, addressOf, type Desired, type Observed } from '../../domain/cloud/resource.ts';
import { type Seen, statusOf } from '../../domain/cloud/status.ts';
import type { Sight } from '../../engine/cloud/observe.ts';
import { type DeskDeps, LOOK_MS, placeOf, scopeOf } from './desk-deps.ts';
import { EVERY_KIND, seenWithin, unknownOf } from './look.ts';
import { belongsTo, ownerOf } from './owner.ts';

/** How long a person may want to wait, as a hint has it. */
const LONGER = { text: '30s', ms: 30_000 };

/** Everything that the file says, as it is: within the deadline (ms), whatever hangs. */
export async function cloudStatus(
  deps: DeskDeps,
  { waitMs }: { waitMs: number | null },
  signal: AbortSignal,
): Promise<CloudStatus> {
  const started = performance.now();
  const deadlineMs = waitMs ?? LOOK_MS.status;
  const { desired, sight, numberKnown } = await seenWithin(deps, { deadlineMs, more: [], signal });
  const unknown = unknownOf(sight).map(({ kind, problem }) => ({
    kind,
    problem:
      problem.code === NO_ANSWER && deadlineMs < LONGER.ms
        ? { ...problem, next: `evenkeel cloud status --wait ${LONGER.text}` }
        : problem,
  }));
  const { passwordSecret, urlSecret } = deps.config.database ?? {};
  const { lines, counts, alertPolicies, level, reason } = statusOf(desired, seenOf(desired, sight, unknown), {
    differences: differencesIn(planOf(desired, sight, scopeOf(deps)), numberKnown),
    made: new Set([passwordSecret, urlSecret].filter((name) => name !== undefined)),
  });
  return {
    ...placeOf(deps),
    at: deps.now(),
    ms: Math.round(performance.now() - started),
    resources: lines.map((line) => ({ ...line, differs: [...line.differs] })),
    counts,
    alertPolicies,
    level,
    reason,
    unknown,
  };
}

const NO_ANSWER = 'cloud-no-answer';

function seenOf(desired: readonly Desired[], { observed }: Sight, unknown: CloudStatus['unknown']): Seen[] {
  const problems = new Map(unknown.map(({ kind, problem }) => [kind, problem]));
  return [...new Set(desired.map(({ kind }) => kind))].map((kind) => {
    const problem = problems.get(kind);
    return problem === undefined
      ? { kind, resources: observed.filter((each) => each.kind === kind) }
      : { kind, problem };
  });
}

/** What is asked for where nobody knows the project's number differs by that alone. */
const differencesIn = ({ lines }: Plan, numberKnown: boolean): Map<Address, string[]> =>
  new Map(
    lines.map(({ address, observed, differences }) => [
      address,
      observed === null
        ? []
        : differences.map(({ attribute }) => attribute).filter((attribute) => numberKnown || attribute !== 'host'),
    ]),
  );

/** Everything that is there, whoever made it. */
export async function cloudList(deps: DeskDeps, signal: AbortSignal): Promise<CloudList> {
  const { desired, sight } = await seenWithin(deps, { deadlineMs: LOOK_MS.list, signal, more: EVERY_KIND });
  const context = { scope: scopeOf(deps), desired, all: sight.observed };
  // Every project has dozens of APIs and roles that nobody asked for; those of ours are named by the file.
  const shown = sight.observed.filter((each) => !isNoise(each) || ownerOf(each, context) === 'ours');
  return {
    ...placeOf(deps),
    resources: shown.map((each) => listed(each, ownerOf(each, context))),
    unknown: unknownOf(sight),
  };
}

const isNoise = ({ kind }: Observed): boolean => kind === 'api' || kind === 'role';

export const listed = (
  each: Observed,
  owner: CloudList['resources'][number]['owner'],
): CloudList['resources'][number] => ({
  address: addressOf(each),
  kind: each.kind,
  name: each.name,
  location: each.location,
  state: each.state,
  owner,
  belongsTo: belongsTo(each),
  createdAt: each.createdAt,
  bytes: each.size?.bytes ?? null,
  objects: each.size?.objects ?? null,
  url: each.url ?? null,
});
