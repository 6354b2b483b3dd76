import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BillLine } from '../../../domain/cloud/price/bill.ts';
import { type BillingExport, billingExportOf } from '../../../domain/cloud/price/billing-export.ts';
import { ownLabels } from '../../../domain/cloud/resource.ts';
import { pollPause } from '../../../platform/google/retry.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { billRefused } from './bill-refused.ts';
import type { Google } from './google.ts';

/** The part of BigQuery's answers that is read. */
interface Answer {
  jobComplete?: boolean;
  jobReference?: { projectId?: string; jobId?: string; location?: string };
  schema?: { fields?: { name?: string }[] };
  rows?: { f?: { v?: unknown }[] }[];
  pageToken?: string;
}

const BASE = 'https://bigquery.googleapis.com/bigquery/v2/projects';
/** ms that Google holds one answer back for, while the query runs. */
const HELD = 10_000;
/** ms after which BigQuery gives the query up, whoever still waits. */
const LONGEST = 60_000;
const PAGE = 1000;
/** What BigQuery may read for it at most: 0.07 USD, where the first TiB of the month is used up. A small team's month is some MB. */
const MOST_BYTES = 10 * 2 ** 30;
const DAY = 86_400_000;

/** What was billed for the cloud project in a month, with one query. Throws `cloud-bill-unknown` and refusals. */
export async function readBill(
  google: Google,
  { table, month }: { table: string; month: string },
  signal: AbortSignal,
): Promise<BillLine[]> {
  const from = billingExportOf(table);
  if (from === null) throw noExport(table);
  try {
    const lines: BillLine[] = [];
    for await (const { schema, rows } of pagesOf(google, queryOf(google, from, month), signal))
      lines.push(...rows.map((cells) => lineOf(new Map(cells.map((cell, index) => [schema[index] ?? '', cell])))));
    return lines;
  } catch (error) {
    throw billRefused(error, from, google.scope.cloudProject);
  }
}

interface Page {
  schema: string[];
  rows: unknown[][];
}

async function* pagesOf({ http, scope }: Google, body: object, signal: AbortSignal): AsyncGenerator<Page> {
  const url = `${BASE}/${scope.cloudProject}/queries`;
  let answer = await http.request<Answer>('POST', url, { body, signal });
  // Where the data is decides where the query runs, and its answers are asked for there.
  const { jobId, location } = answer.jobReference ?? {};
  let schema: string[] = [];
  for (let looks = 0; ;) {
    if (answer.jobComplete === true) {
      schema = answer.schema?.fields?.map(({ name }) => name ?? '') ?? schema;
      yield { schema, rows: (answer.rows ?? []).map(({ f }) => (f ?? []).map(({ v }) => v ?? null)) };
      if (!answer.pageToken) return;
    } else {
      // Google may answer before the time that it was given is over.
      const pause = pollPause(looks++, { first: http.pace, random: Math.random() });
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    if (jobId === undefined) throw unreadable('BigQuery names no job to ask for the rest');
    const query = { location, maxResults: PAGE, timeoutMs: HELD, pageToken: answer.pageToken };
    answer = await http.request<Answer>('GET', `${url}/${encodeURIComponent(jobId)}`, { query, signal });
  }
}

/** The name of the table cannot be a parameter; nothing but such a name comes here (`billingExportOf`). */
function queryOf({ scope }: Google, { project, dataset, table, detailed }: BillingExport, month: string): object {
  const label = (key: string): string => `(SELECT MAX(value) FROM UNNEST(labels) WHERE key = '${key}')`;
  const query = `
SELECT currency, service, owner, environment, part, role,
  IF(owner = @owner AND environment = @environment, named, NULL) AS resource,
  SUM(cost) AS cost, SUM(credit) AS credits, UNIX_MILLIS(MAX(used)) AS last_use
FROM (
  SELECT currency, service.description AS service,
    ${label('evenkeel-project')} AS owner,
    ${label('evenkeel-environment')} AS environment,
    ${label('evenkeel-service')} AS part,
    ${label('evenkeel-role')} AS role,
    ${detailed ? 'resource.name' : 'CAST(NULL AS STRING)'} AS named,
    CAST(cost AS NUMERIC) AS cost,
    IFNULL((SELECT SUM(CAST(amount AS NUMERIC)) FROM UNNEST(credits)), 0) AS credit,
    usage_end_time AS used
  FROM \`${project}.${dataset}.${table}\`
  WHERE invoice.month = @month AND project.id = @project AND _PARTITIONTIME >= @since
)
GROUP BY currency, service, owner, environment, part, role, resource`;
  const text = (name: string, value: string, type = 'STRING') => ({
    name,
    parameterType: { type },
    parameterValue: { value },
  });
  return {
    query,
    useLegacySql: false,
    parameterMode: 'NAMED',
    queryParameters: [
      text('month', month),
      text('project', scope.cloudProject),
      // Only days of the month are read, and paid for; nothing of an invoice is exported before its month begins.
      text('since', new Date(startOf(month) - 2 * DAY).toISOString(), 'TIMESTAMP'),
      text('owner', scope.project),
      text('environment', scope.environment),
    ],
    maximumBytesBilled: String(MOST_BYTES),
    timeoutMs: HELD,
    jobTimeoutMs: String(LONGEST),
    maxResults: PAGE,
    // Sent twice, it is run and paid for once.
    requestId: randomUUID(),
    labels: { ...ownLabels(scope) },
  };
}

const startOf = (month: string): number => Date.UTC(Number(month.slice(0, 4)), Number(month.slice(4)) - 1, 1);

function lineOf(row: ReadonlyMap<string, unknown>): BillLine {
  const text = (name: string): string | null => {
    const value = row.get(name) ?? null;
    if (value !== null && typeof value !== 'string') throw unreadable(`${name} is no text`);
    return value;
  };
  const currency = text('currency') ?? '';
  if (!/^[A-Z]{3}$/.test(currency)) throw unreadable('an amount has no currency');
  return {
    currency,
    service: text('service') ?? 'no service',
    labels: { project: text('owner'), environment: text('environment'), service: text('part'), role: text('role') },
    resource: text('resource'),
    cost: billionths(text('cost') ?? '0'),
    credits: billionths(text('credits') ?? '0'),
    until: Number(text('last_use') ?? 0),
  };
}

/** BigQuery writes its NUMERIC as `-12.3456`, with nine digits at most. */
function billionths(text: string): bigint {
  const [, sign, whole, part = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole === undefined) throw unreadable('an amount is no number');
  const value = BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, '0'));
  return sign === '-' ? -value : value;
}

const unreadable = (why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-bill-unknown',
    what: 'BigQuery answers what cannot be read as a bill',
    why,
    next: 'look at the bill in the console: https://console.cloud.google.com/billing',
  });

const noExport = (table: string): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-bill-unknown',
    what: `${table} is the name of no billing export`,
    next: 'set `cloud.billingExport` to PROJECT.DATASET.gcp_billing_export_v1_XXXXXX_XXXXXX_XXXXXX',
  });
