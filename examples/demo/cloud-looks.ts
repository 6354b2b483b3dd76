import type { CloudCost, CloudStatus } from '../../src/api/contract/cloud/look.ts';
import type { CloudPlan } from '../../src/api/contract/cloud/plan.ts';

/** What commands of the cloud say at length, in a few lines. */

const SEVERAL: Readonly<Record<string, string>> = {
  api: 'APIs',
  repository: 'repository',
  'sql-instance': 'database server',
  'sql-database': 'database',
  'sql-user': 'database user',
  'alert-policy': 'alert policies',
  'audit-logs': 'audit logs',
  'log-retention': 'log retention',
};

/** `8 APIs, 4 buckets, 1 account` */
export function kindsIn(resources: readonly { kind: string }[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of resources) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${SEVERAL[kind] ?? `${kind.replaceAll('-', ' ')}${count === 1 ? '' : 's'}`}`)
    .join(', ');
}

/** The dearest, and the sum. */
export function planLines({ lines, monthly }: CloudPlan): string[] {
  const created = lines.filter(({ action }) => action === 'create');
  const priced = created
    .flatMap(({ address, monthly: price }) => (price === null || price.high === 0 ? [] : [{ address, price }]))
    .toSorted((a, b) => (b.price.high ?? 0) - (a.price.high ?? 0));
  const [dearest] = priced;
  return [
    ...wrapped(`To create: ${kindsIn(created)}.`),
    ...(dearest === undefined ? [] : [`${dearest.address}: ${dearest.price.text} a month.`]),
    `${priced.length - 1} others that cost, at most ${priced[1]?.price.text.replace('up to ', '') ?? '$0'} each; the rest is free.`,
    `In all ${monthly.total.text} a month (list prices of ${monthly.pricesOf}).`,
  ];
}

export function statusLines({ counts, alertPolicies, ms, resources }: CloudStatus): string[] {
  const said = Object.entries(counts).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]));
  const different = resources.filter(({ differs }) => differs.length > 0).map(({ address }) => address);
  return [
    `${said.join(', ')}; ${alertPolicies} alert policies; looked for ${ms} ms.`,
    ...(different.length === 0 ? [] : wrapped(`Not as the file says: ${different.join(', ')}.`)),
  ];
}

export function costLines({ estimate, budget }: CloudCost): string[] {
  return [
    `${estimate.total.text} a month, as it stands (list prices of ${estimate.pricesOf}).`,
    ...(budget === null
      ? []
      : [`Budget ${budget.amount} ${budget.currency}, alerts at ${budget.thresholds.join(', ')} %: ${budget.level}.`]),
  ];
}

const WIDTH = 76;

export function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
