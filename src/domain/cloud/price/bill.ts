import { buildBucketName } from '../names.ts';
import { type Address, addressOf, isOwn, type Kind, type Labels } from '../resource.ts';
import { money } from './cost.ts';

/** What was billed, and for what: as much of it as evenkeel's labels and the provider's names prove, and no more. */

/** One line of a month's bill: what one of the provider's services took for things that bear the same labels. */
export interface BillLine {
  currency: string;
  /** As the provider calls it, such as `Cloud SQL`. */
  service: string;
  /** Those of evenkeel's that the things bear; a build bucket has a `role`, a service on Cloud Run its name in the file. */
  labels: { project: string | null; environment: string | null; service: string | null; role: string | null };
  /** The provider's name of the one thing it is for, where that is told. */
  resource: string | null;
  /** Billionths of the currency, before credits; and the credits, which are below zero. */
  cost: bigint;
  credits: bigint;
  /** End of the last use in it, wall time, ms. */
  until: number;
}

/** A resource that may have been billed. */
export interface Thing {
  kind: Kind;
  name: string;
  labels: Labels;
}

export interface Billed {
  /** Credits taken off; of the whole cloud project. `text`: as people read it, cents that add up to those of the total. */
  total: Amount;
  /** What credits took off: zero or below. */
  credits: number;
  currency: string;
  /** End of the last use that is in it, wall time, ms. */
  until: number;
  parts: (Amount & { address: Address })[];
  rest: (Amount & Unattributed)[];
}

export interface Amount {
  amount: number;
  text: string;
}

/**
 * Billed in the same cloud project, and not to be ascribed to one resource: of this environment, `what` a service of the
 * provider's; of another one that evenkeel looks after, `what` its `project/environment`; of nobody, `what` a service.
 */
export interface Unattributed {
  of: 'environment' | 'elsewhere' | 'nobody';
  what: string;
}

export interface Surroundings {
  scope: { project: string; environment: string };
  cloudProject: string;
  /** What the file asks for and what is there; others' are left aside here. */
  things: readonly Thing[];
  /** Names in the cloud of services, by those in the file. */
  services: ReadonlyMap<string, string>;
}

/** Null: the lines are of several currencies, and nobody here knows what one is worth in the other. */
export function billOf(lines: readonly BillLine[], around: Surroundings): Billed | null {
  const [first] = lines;
  if (first === undefined || lines.some(({ currency }) => currency !== first.currency)) return null;
  const { currency } = first;
  const sums = new Map<string, { to: Address | Unattributed; sum: bigint }>();
  for (const line of lines) {
    const to = payerOf(line, around);
    const key = typeof to === 'string' ? to : `${to.of} ${to.what}`;
    sums.set(key, { to, sum: (sums.get(key)?.sum ?? 0n) + line.cost + line.credits });
  }
  const all = [...sums.values()].toSorted((a, b) => (a.sum === b.sum ? 0 : a.sum > b.sum ? -1 : 1));
  const total = all.reduce((sum, each) => sum + each.sum, 0n);
  const shown = centsThatAddUp(all.map(({ sum }) => sum));
  const amounts = all.map(({ to, sum }, index) => ({ to, ...amountOf(sum, shown[index] ?? 0n, currency) }));
  return {
    total: amountOf(total, roundedCents(total), currency),
    credits: units(lines.reduce((sum, each) => sum + each.credits, 0n)),
    currency,
    until: Math.max(...lines.map(({ until }) => until)),
    parts: amounts.flatMap(({ to, ...amount }) => (typeof to === 'string' ? [{ address: to, ...amount }] : [])),
    rest: amounts.flatMap(({ to, ...amount }) => (typeof to === 'string' ? [] : [{ ...to, ...amount }])),
  };
}

/** Which of our kinds one of Google's services bills. Not here: what bears no labels, and what is billed as another's. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['Cloud SQL', 'sql-instance'],
  ['Cloud Run', 'service'],
  ['Cloud Storage', 'bucket'],
  ['Secret Manager', 'secret'],
  ['Artifact Registry', 'repository'],
]);

function payerOf({ service, labels, resource }: BillLine, around: Surroundings): Address | Unattributed {
  const { scope, cloudProject, things, services } = around;
  if (labels.project === null) return { of: 'nobody', what: service };
  if (labels.project !== scope.project || labels.environment !== scope.environment)
    return { of: 'elsewhere', what: `${labels.project}/${labels.environment ?? '?'}` };
  const kind = KINDS.get(service);
  const unknown: Unattributed = { of: 'environment', what: service };
  if (kind === undefined) return unknown;
  if (kind === 'bucket' && labels.role !== null)
    return labels.role === 'builds' ? addressOf({ kind, name: buildBucketName(cloudProject) }) : unknown;
  if (kind === 'service' && labels.service !== null) {
    const name = services.get(labels.service);
    return name === undefined ? unknown : addressOf({ kind, name });
  }
  const ours = new Set(
    things.filter((each) => each.kind === kind && isOwn(each.labels, scope)).map(({ name }) => name),
  );
  if (kind === 'bucket') ours.delete(buildBucketName(cloudProject));
  if (resource !== null) {
    // Some services give a path, others a name.
    const named = resource.split(/[/:]/).at(-1) ?? '';
    return ours.has(named) ? addressOf({ kind, name: named }) : unknown;
  }
  const [only] = ours;
  // Of Cloud Run a job may have run that bears no service's name.
  return kind !== 'service' && ours.size === 1 && only !== undefined ? addressOf({ kind, name: only }) : unknown;
}

/** Billionths in a cent. */
const CENT = 10_000_000n;

const units = (billionths: bigint): number => Number(billionths) / 1e9;

const amountOf = (billionths: bigint, cents: bigint, currency: string): Amount => ({
  amount: units(billionths),
  text: money(Number(cents) / 100, currency),
});

const floored = (billionths: bigint): bigint =>
  billionths / CENT - (billionths < 0n && billionths % CENT !== 0n ? 1n : 0n);

/** Half a cent is rounded up. */
const roundedCents = (billionths: bigint): bigint => floored(billionths + CENT / 2n);

/**
 * Whole cents whose sum is that of the amounts, rounded: each is cut, and the cents that are then missing go to those
 * of which most was cut off. A reader who adds up what is shown finds the total that is shown.
 */
export function centsThatAddUp(billionths: readonly bigint[]): bigint[] {
  const cut = billionths.map((each, index) => ({ index, cents: floored(each), left: each - floored(each) * CENT }));
  const total = roundedCents(billionths.reduce((sum, each) => sum + each, 0n));
  const missing = Number(total - cut.reduce((sum, { cents }) => sum + cents, 0n));
  const raised = new Set(
    cut
      .toSorted((a, b) => (a.left === b.left ? a.index - b.index : a.left > b.left ? -1 : 1))
      .slice(0, missing)
      .map(({ index }) => index),
  );
  return cut.map(({ index, cents }) => cents + (raised.has(index) ? 1n : 0n));
}
