import { type Billed, type BillLine, billOf } from '../../domain/cloud/price/bill.ts';
import type { Desired, Observed } from '../../domain/cloud/resource.ts';
import { problemOf } from '../../engine/cloud/problem.ts';
import type { CloudProblem } from '../../ports/cloud.ts';
import { type DeskDeps, LOOK_MS, scopeOf } from './desk-deps.ts';

export type Bill = { billed: Billed } | { problem: CloudProblem };

type Asked = { lines: BillLine[] } | { problem: CloudProblem };

/** The lines of this month's bill; what stands in the way is no reason to say nothing at all. Throws when `signal` fires. */
export async function askForBill(deps: DeskDeps, month: string, signal: AbortSignal): Promise<Asked> {
  const { cloud, config } = deps;
  if (config.billingExport === null || cloud.billed === undefined) return { problem: notDeclared };
  const late = AbortSignal.timeout(LOOK_MS.bill);
  try {
    return { lines: await cloud.billed(config.billingExport, month, AbortSignal.any([signal, late])) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: late.aborted ? noAnswer : problemOf(error) };
  }
}

/** What was billed, as far as labels and names say for what. */
export function billFrom(
  deps: DeskDeps,
  asked: Asked,
  { month, things }: { month: string; things: readonly (Desired | Observed)[] },
): Bill {
  if ('problem' in asked) return asked;
  const { config } = deps;
  if (asked.lines.length === 0) return { problem: nothingYet(config.project, month) };
  const billed = billOf(asked.lines, {
    scope: scopeOf(deps),
    cloudProject: config.project,
    things,
    services: new Map(config.services.map(({ service, name }) => [service, name])),
  });
  return billed === null ? { problem: severalCurrencies } : { billed };
}

const problem = (code: string, message: string, next: string, retryable = false): CloudProblem => ({
  code,
  message,
  next,
  retryable,
});

const notDeclared = problem(
  'cloud-bill-none',
  'Google tells it through an export to BigQuery alone, and the file names none',
  'have the billing account export its usage cost (https://console.cloud.google.com/billing/export), and set `cloud.billingExport` to the table',
);

const noAnswer = problem(
  'cloud-no-answer',
  'BigQuery did not answer in time',
  'try again; Google may be slow just now: https://status.cloud.google.com',
  true,
);

const severalCurrencies = problem(
  'cloud-bill-unknown',
  'the export has amounts of several currencies',
  'look at the bill in the console: https://console.cloud.google.com/billing',
);

const nothingYet = (cloudProject: string, month: string): CloudProblem =>
  problem(
    'cloud-bill-empty',
    `the export holds nothing of ${cloudProject} in ${written(month)} yet`,
    'look again later: Google exports what was used hours later, up to a day',
    true,
  );

/** `202611` as `2026-11`. */
export const written = (month: string): string => `${month.slice(0, 4)}-${month.slice(4)}`;
