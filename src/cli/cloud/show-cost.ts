import type { CloudCost } from '../../api/contract/cloud/look.ts';
import type { Output } from '../output.ts';
import { table } from '../screen/table.ts';
import { printable, wrap } from '../screen/text.ts';
import type { Hint } from './hints.ts';
import { placeLine } from './show-plan.ts';

/** What each line is expected to cost a month, and what was billed for it: the second column adds up to its last line. */
export function showCost(cost: CloudCost, out: Output, hint: Hint): void {
  const { style } = out;
  const { estimate } = cost;
  out.line(placeLine(cost, style), '');
  const lines = costLines(rowsOf(cost), out);
  if (lines.length > 0) out.line(...lines, '');
  out.prose(
    `Estimate: ${style.bold(estimate.total.text)} a month ${style.dim(`(list prices of ${estimate.pricesOf})`)}.`,
    2,
  );
  if (estimate.leavesOut.length > 0) out.prose(style.dim(`  Without ${estimate.leavesOut.join('; ')}.`), 2);
  showActual(cost, out);
  showBudget(cost, out, hint);
}

interface CostRow {
  cells: [what: string, monthly: string, soFar: string];
  basis: string;
}

/** What each rests on is said below it, once for those in a row that rest on the same: beside it there is no room. */
function costLines(rows: readonly CostRow[], { style, columns }: Output): string[] {
  if (rows.length === 0) return [];
  const titles = [
    { title: 'resource' },
    { title: 'a month', align: 'right' as const },
    { title: 'so far', align: 'right' as const },
  ];
  const cells = rows.map((row) => row.cells);
  const [head = '', ...shown] = table(titles, cells, { style, columns: columns(), indent: 2 });
  const below = (basis: string): string[] =>
    wrap(printable(basis), Math.min(columns(), 110) - BASIS_INDENT).map((text) =>
      style.dim(`${' '.repeat(BASIS_INDENT)}${text}`),
    );
  return [
    head,
    ...shown.flatMap((row, at) => {
      const basis = rows[at]?.basis ?? '';
      return basis === '' || basis === rows[at + 1]?.basis ? [row] : [row, ...below(basis)];
    }),
  ];
}

const BASIS_INDENT = 6;

function rowsOf({ estimate, actual }: CloudCost): CostRow[] {
  const rows = estimate.lines.map(({ address, monthly, actual: soFar, basis }): CostRow => ({
    cells: [address, monthly.text, soFar ?? ''],
    basis,
  }));
  if (actual === null) return rows;
  const priced = new Set(estimate.lines.map(({ address }) => address));
  return [
    ...rows,
    ...actual.parts
      .filter(({ address }) => !priced.has(address))
      .map(({ address, text }): CostRow => ({ cells: [address, 'not in the file', text], basis: '' })),
    ...actual.rest.map(({ of, what, text }): CostRow => ({
      cells: [`${printable(what)}${WHOSE[of]}`, '', text],
      basis: BASIS[of],
    })),
    { cells: ['together', estimate.total.text, actual.text], basis: '' },
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
