import type { CloudCost } from '../../api/contract/cloud/look.ts';
import type { Output } from '../output.ts';
import { table } from '../screen/table.ts';
import { printable } from '../screen/text.ts';
import type { Hint } from './hints.ts';
import { placeLine } from './show-plan.ts';

/** What each line is expected to cost a month, and what was billed for it: the second column adds up to its last line. */
export function showCost(cost: CloudCost, out: Output, hint: Hint): void {
  const { style } = out;
  const { estimate } = cost;
  out.line(placeLine(cost, style), '');
  const rows = rowsOf(cost);
  const titles = [
    { title: 'resource' },
    { title: 'a month', align: 'right' as const },
    { title: 'so far', align: 'right' as const },
    { title: 'rests on', leaveOut: 1 },
  ];
  if (rows.length > 0) out.line(...table(titles, rows, { style, columns: out.columns(), indent: 2 }), '');
  out.prose(
    `Estimate: ${style.bold(estimate.total.text)} a month ${style.dim(`(list prices of ${estimate.pricesOf})`)}.`,
    2,
  );
  if (estimate.leavesOut.length > 0) out.prose(style.dim(`  Without ${estimate.leavesOut.join('; ')}.`), 2);
  showActual(cost, out);
  showBudget(cost, out, hint);
}

function rowsOf({ estimate, actual }: CloudCost): string[][] {
  const rows = estimate.lines.map((line) => [line.address, line.monthly.text, line.actual ?? '', line.basis]);
  if (actual === null) return rows;
  const priced = new Set(estimate.lines.map(({ address }) => address));
  return [
    ...rows,
    ...actual.parts
      .filter(({ address }) => !priced.has(address))
      .map(({ address, text }) => [address, 'not in the file', text, '']),
    ...actual.rest.map(({ of, what, text }) => [`${printable(what)}${WHOSE[of]}`, '', text, BASIS[of]]),
    ['together', estimate.total.text, actual.text, ''],
  ];
}

type Rest = NonNullable<CloudCost['actual']>['rest'][number]['of'];

const WHOSE: Readonly<Record<Rest, string>> = {
  environment: ' of this environment',
  elsewhere: '',
  nobody: ' of nobody known',
};

const BASIS: Readonly<Record<Rest, string>> = {
  environment: 'the export does not say for which resource',
  elsewhere: 'another environment in this cloud project',
  nobody: 'bears no label of evenkeel',
};

function showActual({ actual, actualProblem: problem, cloudProject }: CloudCost, out: Output): void {
  const { style } = out;
  if (actual === null) {
    out.prose(`Actual: not known${problem === null ? '' : `: ${printable(problem.message)}`}.`, 2);
    if (problem !== null && problem.next !== null) out.prose(`  ${style.bold(printable(problem.next))}`, 2);
    return;
  }
  const { month, text, currency, credits, until } = actual;
  const off = credits < -0.005 ? `, with ${(-credits).toFixed(2)} ${currency} of credits taken off` : '';
  const upTo = style.dim(`(use up to ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC)`);
  out.prose(`Actual: ${style.bold(text)} billed to ${cloudProject} in ${month}${off} ${upTo}.`, 2);
}

function showBudget({ budget }: CloudCost, out: Output, hint: Hint): void {
  const { style } = out;
  if (budget === null) {
    out.line('Budget: none; `cloud.budget` in evenkeel.yaml sets one, with alerts at 50, 90 and 100 %.');
    return;
  }
  const state = budget.exists === null ? 'unknown' : budget.exists ? 'set' : 'not set up yet';
  const amount = `${budget.amount} ${budget.currency}`;
  out.prose(`Budget: ${amount} a month with alerts at ${budget.thresholds.join(', ')} % (${state}).`, 2);
  const paint = budget.level === 'over' ? style.red : budget.level === 'near' ? style.yellow : style.dim;
  out.prose(paint(`  ${budget.reason}`), 2);
  if (budget.exists === false) out.line(`  ${style.bold(hint('evenkeel cloud setup --only budget'))}`);
}
