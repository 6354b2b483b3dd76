import type { CloudCost, CloudList, CloudState, CloudStatus, CloudUrls } from '../../api/contract/cloud/look.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../../lib/format.ts';
import type { Output } from '../output.ts';
import { table } from '../screen/table.ts';
import { printable, wrap } from '../screen/text.ts';
import type { Style } from '../screen/style.ts';
import { showWritten } from '../written-urls.ts';
import type { Hint } from './hints.ts';
import { placeLine } from './show-plan.ts';

/** What the file asks for, as it is. */
export function showStatus(status: CloudStatus, out: Output): void {
  const { style } = out;
  out.line(placeLine(status, style), '');
  const rows = status.resources.map(({ address, state, words, url, problem }) => [
    `${markOf(state, style)} ${address}`,
    words,
    [problem === null ? '' : printable(problem), url ?? ''].filter((text) => text !== '').join('; '),
  ]);
  const titles = ['resource', 'state', ''].map((title) => ({ title }));
  if (rows.length > 0) out.line(...table(titles, rows, { style, columns: out.columns(), indent: 2 }), '');
  unknownLines(status.unknown, out);
  const policies =
    status.alertPolicies === null
      ? 'unknown alert policies'
      : plural(status.alertPolicies, 'alert policy', 'alert policies');
  const said = rows.length === 0 ? 'Nothing is declared' : status.reason;
  out.prose(`${said}; ${policies}; looked for ${formatDuration(status.ms)}.`, 2);
  // Of what nobody could look at it is said above.
  const nexts = new Set(
    status.resources.flatMap(({ state, next }) => (state === 'unknown' || next === null ? [] : [next])),
  );
  if (nexts.size > 0) out.line('', 'Next:', ...[...nexts].map((command) => `  ${style.bold(command)}`));
}

function markOf(state: CloudState, { symbols, green, yellow, red, dim }: Style): string {
  if (state === 'ready') return green(symbols.done);
  if (state === 'failed' || state === 'missing') return red(symbols.failed);
  if (state === 'stopped') return dim(symbols.paused);
  return yellow(state === 'changing' ? symbols.now : '?');
}

export function unknownLines(unknown: CloudStatus['unknown'], out: Output): void {
  const { style } = out;
  for (const { kind, problem } of unknown) {
    out.prose(`  ${style.yellow('?')} ${kind}: unknown: ${printable(problem.message)}`, 4);
    if (problem.next !== null) out.line(`      ${style.bold(problem.next)}`);
  }
  if (unknown.length > 0) out.line('');
}

type Listed = Pick<CloudList['resources'][number], 'address' | 'createdAt' | 'bytes' | 'objects'> & {
  state?: CloudState;
  location: string | null;
  belongsTo?: string | null;
};

/** Resources with what tells a person whether they are dear: size and age. */
export function listLines(resources: readonly Listed[], out: Output, now: number): string[] {
  const rows = resources.map((each) => [
    each.address,
    each.location ?? '',
    each.state === undefined || each.state === 'ready' ? '' : each.state,
    sizeText(each),
    each.createdAt === null ? '' : formatDuration(Math.max(0, now - each.createdAt)),
    each.belongsTo ?? '',
  ]);
  // On a narrow screen the address stays whole: it is what is typed next, and says most of the rest.
  const titles = [
    { title: 'resource' },
    { title: 'where', leaveOut: 2 },
    { title: 'state' },
    { title: 'holds' },
    { title: 'age', leaveOut: 1 },
    { title: 'of', leaveOut: 3 },
  ];
  return table(titles, rows, { style: out.style, columns: out.columns(), indent: 2 });
}

function sizeText({ bytes, objects }: Pick<Listed, 'bytes' | 'objects'>): string {
  const parts = [
    bytes === null ? [] : [formatBytes(bytes)],
    objects === null ? [] : [objects === 0 ? 'empty' : plural(objects, 'object')],
  ].flat();
  return parts.join(', ');
}

export function showList(list: CloudList, out: Output, now: number): void {
  const { style } = out;
  out.line(placeLine(list, style), '');
  const groups = [
    { owner: 'ours', title: 'Of this environment' },
    { owner: 'elsewhere', title: 'Of other environments that evenkeel looks after' },
    { owner: 'foreign', title: 'Of nobody that evenkeel knows' },
  ];
  for (const { owner, title } of groups) {
    const resources = list.resources.filter((each) => each.owner === owner);
    if (resources.length === 0) continue;
    out.line(`${title}: ${formatCount(resources.length)}`, ...listLines(resources, out, now), '');
  }
  if (list.resources.length === 0) out.line('There is nothing.', '');
  unknownLines(list.unknown, out);
}

/** What each rests on is said below it, once for those in a row that rest on the same: beside it there is no room. */
function estimateLines(lines: CloudCost['estimate']['lines'], { style, columns }: Output): string[] {
  const titles = [
    { title: 'resource' },
    { title: 'a month', align: 'right' as const },
    { title: 'so far', align: 'right' as const },
  ];
  const rows = lines.map(({ address, monthly, actual }) => [address, monthly.text, actual ?? '']);
  const [head = '', ...shown] = table(titles, rows, { style, columns: columns(), indent: 2 });
  const below = (basis: string): string[] =>
    wrap(printable(basis), Math.min(columns(), 110) - BASIS_INDENT).map((text) =>
      style.dim(`${' '.repeat(BASIS_INDENT)}${text}`),
    );
  return [
    head,
    ...shown.flatMap((row, at) => {
      const basis = lines[at]?.basis ?? '';
      return basis === '' || basis === lines[at + 1]?.basis ? [row] : [row, ...below(basis)];
    }),
  ];
}

const BASIS_INDENT = 6;

export function showCost(cost: CloudCost, out: Output, hint: Hint): void {
  const { style } = out;
  const { estimate, actual, budget } = cost;
  out.line(placeLine(cost, style), '');
  if (estimate.lines.length > 0) out.line(...estimateLines(estimate.lines, out), '');
  out.prose(
    `Estimate: ${style.bold(estimate.total.text)} a month ${style.dim(`(list prices of ${estimate.pricesOf})`)}.`,
    2,
  );
  if (estimate.leavesOut.length > 0) out.prose(style.dim(`  Without ${estimate.leavesOut.join('; ')}.`), 2);
  out.prose(
    actual === null
      ? 'Actual: not known; the provider tells it only where billing is exported.'
      : `Actual, since the first of this month: ${style.bold(`${actual.total.toFixed(2)} ${actual.currency}`)}.`,
    2,
  );
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

export function showUrls(urls: CloudUrls, out: Output, hint: Hint): void {
  const { style } = out;
  for (const { service, url, check } of urls.services) {
    const mark = check === null ? ' ' : check.ok ? style.green(style.symbols.done) : style.red(style.symbols.failed);
    out.line(
      `${url === null ? style.red(style.symbols.failed) : mark} ${service}  ${url ?? style.dim(hint('is not there yet: evenkeel deploy'))}`,
    );
    if (check !== null && !check.ok) {
      out.prose(`    asked: ${printable(check.asked)}`, 11);
      out.prose(`    answered: ${printable(check.answered)}`, 14);
    }
  }
  if (urls.services.length === 0) out.line('No service of this environment runs in the cloud.');
  if (urls.file === null) return;
  showWritten(urls.file, out);
}
