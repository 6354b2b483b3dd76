import type { CloudPlan, CloudPlanLine } from '../../api/contract/cloud/plan.ts';
import { plural } from '../../lib/format.ts';
import type { Output } from '../output.ts';
import type { Paint, Style } from '../screen/style.ts';
import { padEnd, padStart, printable, widthOf, wrap } from '../screen/text.ts';
import { attributeText, valueText } from './words.ts';

const MARKS: Readonly<Record<CloudPlanLine['action'], string>> = {
  create: '+',
  update: '~',
  replace: '-/+',
  keep: '=',
  unmanaged: '.',
  unknown: '?',
};

const INDENT = 8;

/** A plan as Terraform shows one, with what each line costs a month beside it. `all`: what stays as it is, too. */
export function showPlan(plan: CloudPlan, out: Output, { all }: { all: boolean }): void {
  const { style } = out;
  out.line(placeLine(plan, style), '');
  const shown = plan.lines.filter(
    (line) => all || line.action === 'create' || changes(line.action) || ails(line) || isLeftOver(line),
  );
  const prices = Math.max(0, ...shown.map(({ monthly }) => widthOf(monthly?.text ?? '')));
  // Prices stay on the screen, also where a long name that has none would push them off it.
  const room = Math.max(0, out.columns() - INDENT - prices);
  const width = Math.min(room, Math.max(0, ...shown.map(({ address }) => widthOf(address))));
  for (const line of shown) out.line(...lineOf(line, { out, width, prices }));
  if (shown.length > 0) out.line('');
  for (const { kind, problem } of plan.unknown) {
    out.prose(`  ${style.yellow('?')} ${kind}: nothing is known of it: ${printable(problem.message)}`, 4);
    if (problem.next !== null) out.line(`      ${style.bold(problem.next)}`);
  }
  for (const { address, reason } of plan.impossible)
    out.prose(
      `  ${style.red(style.symbols.failed)} ${address} cannot become what the file says: ${printable(reason)}`,
      4,
    );
  if (plan.unknown.length + plan.impossible.length > 0) out.line('');
  summary(plan, out, all);
}

const changes = (action: CloudPlanLine['action']): boolean => action === 'update' || action === 'replace';

/** It needs nothing of set-up, and is not well all the same. */
const ails = ({ action, state }: CloudPlanLine): boolean =>
  action === 'keep' && (state === 'failed' || state === 'changing');

/** It was in the file once, and costs until somebody deletes it. */
const isLeftOver = ({ action, own }: CloudPlanLine): boolean => action === 'unmanaged' && own;

const isUndeployed = ({ action, kind, state }: CloudPlanLine): boolean =>
  action === 'keep' && kind === 'service' && state === 'missing';

export const placeLine = (
  {
    project,
    environment,
    cloudProject,
    region,
  }: Pick<CloudPlan, 'project' | 'environment' | 'cloudProject' | 'region'>,
  style: Style,
): string =>
  `${style.bold(project)} in ${style.cyan(environment)} ${style.dim(`${style.symbols.dot} cloud project ${cloudProject}, ${region}`)}`;

function lineOf(
  { action, address, monthly, differences, reason }: CloudPlanLine,
  { out, width, prices }: { out: Output; width: number; prices: number },
): string[] {
  const { style } = out;
  const price = monthly === null || monthly.text === 'free' ? '' : monthly.text;
  const mark = paintOf(action, style)(padEnd(MARKS[action], 3));
  const head = `  ${mark} ${padEnd(address, width)}  ${padStart(price, prices)}`.trimEnd();
  const why = reason === null ? [] : [style.dim(`${' '.repeat(INDENT)}${printable(reason)}`)];
  if (action === 'create') return [head, ...created(differences, out), ...why];
  const wide = Math.max(0, ...differences.map(({ attribute }) => attributeText(attribute).length));
  const changed = differences.map(({ attribute, from, to }) => {
    const name = padEnd(attributeText(attribute), wide);
    return `${' '.repeat(INDENT)}${style.dim(name)}  ${valueText(from)} ${style.symbols.arrow} ${valueText(to)}`;
  });
  return [head, ...changed.map(printable_(style)), ...why];
}

/** What is read from the provider may hold anything; colours are ours. */
const printable_ =
  ({ color }: Style) =>
  (text: string): string =>
    color ? text : printable(text);

/** All that a new one will be, in as few lines as it takes. */
function created(differences: CloudPlanLine['differences'], { style, columns }: Output): string[] {
  if (differences.length === 0) return [];
  const separator = style.symbols.dot === '·' ? ' ·' : ',';
  const width = Math.min(columns(), 110) - INDENT;
  const lines: string[] = [];
  for (const [at, { attribute, to }] of differences.entries()) {
    const end = at === differences.length - 1 ? '' : separator;
    const part = `${attributeText(attribute)} ${valueText(to)}${end}`;
    const last = lines.at(-1);
    // An attribute stays on one line with its value, unless it is longer than a line.
    if (last !== undefined && widthOf(`${last} ${part}`) <= width) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(...wrap(part, width));
  }
  return lines.map((line) => style.dim(`${' '.repeat(INDENT)}${line}`));
}

function paintOf(action: CloudPlanLine['action'], { green, yellow, red, dim }: Style): Paint {
  if (action === 'create') return green;
  if (action === 'update') return yellow;
  return action === 'replace' ? red : dim;
}

function summary(plan: CloudPlan, out: Output, all: boolean): void {
  const { style } = out;
  const count = (action: CloudPlanLine['action']): number => plan.lines.filter((each) => each.action === action).length;
  const hidden = all ? '' : '; --all shows what stays';
  const ailing = plan.lines.filter(ails).length;
  const undeployed = plan.lines.filter(isUndeployed).length;
  const kept = count('keep') - ailing - undeployed;
  const later = undeployed === 0 ? '' : `, ${plural(undeployed, 'service')} to deploy`;
  if (plan.changes === 0 && plan.unknown.length === 0 && plan.impossible.length === 0 && ailing === 0)
    out.prose(
      `${style.green(style.symbols.done)} Everything is as evenkeel.yaml says: ${plural(kept, 'resource')}${later}.`,
      2,
    );
  else {
    const ill = ailing === 0 ? '' : `, ${ailing} not well`;
    const beside = count('unmanaged') === 0 ? '' : `, ${count('unmanaged')} beside it, left alone`;
    out.prose(
      `Plan: ${count('create')} to create, ${count('update')} to update, ${count('replace')} to replace, ${kept} as they should be${ill}${later}${beside}${hidden}.`,
      2,
    );
  }
  const { total, now, pricesOf, leavesOut } = plan.monthly;
  const before = plan.changes === 0 || now.text === total.text ? '' : `, now ${now.text}`;
  out.prose(`Monthly cost: ${style.bold(total.text)}${before} ${style.dim(`(list prices of ${pricesOf})`)}.`, 2);
  if (leavesOut.length > 0 && total.text !== 'free') out.prose(style.dim(`  Without ${leavesOut.join('; ')}.`), 2);
  if (plan.losing.length > 0)
    out.prose(style.red(`Replacing loses what is in ${plan.losing.join(', ')}: make a copy first.`), 2);
  if (plan.secretsWithoutValue.length > 0) {
    const names = plan.secretsWithoutValue;
    out.prose(
      `${names.length === 1 ? 'A secret has' : `${names.length} secrets have`} no value yet: ${names.join(', ')}.`,
      2,
    );
  }
}
