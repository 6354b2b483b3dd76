import type { CloudPlan } from '../../api/contract/cloud/plan.ts';
import type { Plan, PlanLine } from '../../domain/cloud/plan.ts';
import { addressOf, isOwn, type Desired } from '../../domain/cloud/resource.ts';
import type { Sight } from '../../engine/cloud/observe.ts';
import { type DeskDeps, placeOf, type Scope, scopeOf } from './desk-deps.ts';
import { unknownOf } from './look.ts';
import { estimated, priceView } from './price.ts';

export function planDocument(
  deps: DeskDeps,
  { plan, sight, desired }: { plan: Plan; sight: Sight; desired: readonly Desired[] },
): CloudPlan {
  const { region } = deps.config;
  const wanted = estimated(desired, region);
  const now = estimated(
    sight.observed.filter((each) => desired.some((other) => addressOf(other) === addressOf(each))),
    region,
  );
  const prices = new Map(wanted.lines.map(({ address, price }) => [address, priceView(price)]));
  const acting = plan.lines.filter(({ action }) => action === 'create' || action === 'update' || action === 'replace');
  return {
    ...placeOf(deps),
    lines: plan.lines.map((line) =>
      lineView(line, { scope: scopeOf(deps), monthly: prices.get(line.address) ?? null }),
    ),
    changes: acting.length,
    impossible: plan.impossible,
    losing: acting.filter(({ loses }) => loses).map(({ address }) => address),
    monthly: {
      total: priceView(wanted.total),
      now: priceView(now.total),
      pricesOf: wanted.asOf,
      leavesOut: [...wanted.leavesOut],
    },
    secretsWithoutValue: secretsWithoutValue(deps, sight, desired),
    unknown: unknownOf(sight),
  };
}

/** A service's price is that of a deploy; it is told beside it all the same, since it is what the month will cost. */
const lineView = (
  { action, address, kind, name, observed, differences, reason }: PlanLine,
  { scope, monthly }: { scope: Scope; monthly: CloudPlan['lines'][number]['monthly'] },
): CloudPlan['lines'][number] => ({
  address,
  kind,
  name,
  action,
  state: action === 'unknown' ? 'unknown' : (observed?.state ?? 'missing'),
  own: observed !== null && isOwn(observed.labels, scope),
  reason,
  differences: [...differences],
  monthly,
});

/** Those that a person must give a value; the database's are made with it. */
export function secretsWithoutValue(
  { config }: DeskDeps,
  { observed, unknown }: Sight,
  desired: readonly Desired[],
): string[] {
  // Nothing is known of any.
  if (unknown.some(({ kind }) => kind === 'secret')) return [];
  const made = new Set([config.database?.passwordSecret, config.database?.urlSecret]);
  const valued = new Set(
    observed.flatMap(({ kind, name, hasValue }) => (kind === 'secret' && hasValue === true ? [name] : [])),
  );
  const asked = desired.filter(({ kind, name }) => kind === 'secret' && !made.has(name) && !valued.has(name));
  const variables = new Map(config.secrets.map(({ id, variable }) => [id, variable]));
  return asked.map(({ name }) => variables.get(name) ?? name);
}
