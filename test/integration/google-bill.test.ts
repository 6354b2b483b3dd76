import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { DETAILED, EXPORT, exported, type Used } from '../support/cloud/bill.ts';
import { driverAt, LABELS, never } from '../support/google.ts';
import { waitFor } from '../support/wait.ts';

let emulator: Emulator;

beforeEach(async () => {
  emulator = await emulated({ on: ['bigquery'] });
});
afterEach(endEmulators);

const load = async (used: Used[], { table = EXPORT, late = 0 } = {}): Promise<void> => {
  const answer = await ask(emulator, 'POST', null, '/_emulator/tables', {
    body: { table, rows: used.map(exported), late },
  });
  expect(answer.status).toBe(200);
};

async function bill(table = EXPORT) {
  const { cloud } = await driverAt(emulator);
  return (await cloud.billed?.(table, '202611', never())) ?? [];
}

const calls = (method: string): number =>
  emulator.world.calls.list().filter((call) => call.method === `bigquery.jobs.${method}`).length;

/** A refusal in words. */
const refused = async (table = EXPORT): Promise<string> =>
  bill(table).then(
    () => 'nothing was refused',
    ({ code, message, next }: { code: string; message: string; next: string }) => `${code}: ${message}; ${next}`,
  );

test('what was used is added up exactly, credits apart, by service and by labels', async () => {
  await load([
    { service: 'Cloud SQL', cost: 0.1, labels: LABELS },
    { service: 'Cloud SQL', cost: 0.2, labels: { ...LABELS, team: 'a' }, credits: [-0.05, -0.01] },
    { service: 'Cloud SQL', cost: 4 },
    {
      service: 'Cloud Run',
      cost: 1.000000001,
      labels: { ...LABELS, 'evenkeel-service': 'api' },
      at: '2026-11-21T23:00:00Z',
    },
  ]);
  const lines = await bill();
  expect(lines).toHaveLength(3);
  const labels = { project: 'chat', environment: 'production', service: null, role: null };
  expect(lines).toContainEqual({
    currency: 'USD',
    service: 'Cloud SQL',
    labels,
    resource: null,
    cost: 300_000_000n,
    credits: -60_000_000n,
    until: Date.parse('2026-11-20T10:00:00Z'),
  });
  expect(lines).toContainEqual(
    expect.objectContaining({
      service: 'Cloud Run',
      labels: { ...labels, service: 'api' },
      cost: 1_000_000_001n,
      until: Date.parse('2026-11-21T23:00:00Z'),
    }),
  );
  expect(calls('query')).toBe(1);
  expect(calls('getQueryResults')).toBe(0);
});

test('other cloud projects, other months and what belongs to no project are not in it', async () => {
  await load([
    { service: 'Cloud SQL', cost: 1 },
    { service: 'Cloud SQL', cost: 2, project: 'another-project' },
    { service: 'Cloud SQL', cost: 4, month: '202610', at: '2026-11-01T01:00:00Z' },
    { service: 'Invoice', cost: 8, project: null },
  ]);
  expect((await bill()).map(({ cost }) => cost)).toEqual([1_000_000_000n]);
});

test('the detailed export says for which resource, of what is ours', async () => {
  await load(
    [
      { service: 'Cloud Storage', cost: 1, labels: LABELS, resource: 'one' },
      { service: 'Cloud Storage', cost: 2, labels: LABELS, resource: 'two' },
      { service: 'Cloud Storage', cost: 4, resource: 'three' },
      { service: 'Cloud Storage', cost: 8, resource: 'four' },
    ],
    { table: DETAILED },
  );
  const found = (await bill(DETAILED)).map(({ resource, cost }) => [resource, Number(cost / 1_000_000_000n)]);
  expect(found.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
    [null, 12],
    ['one', 1],
    ['two', 2],
  ]);
});

test('a bill of several pages is read whole', async () => {
  await load(Array.from({ length: 2_500 }, (_, index) => ({ service: `S${index}`, cost: index })));
  const lines = await bill();
  expect(new Set(lines.map(({ service }) => service)).size).toBe(2_500);
  expect(calls('getQueryResults')).toBe(2);
});

test('a query that is not done yet is asked for until it is, and run once', async () => {
  await load([{ service: 'Cloud SQL', cost: 1 }], { late: 3 });
  expect(await bill()).toHaveLength(1);
  expect([calls('query'), calls('getQueryResults')]).toEqual([1, 3]);
});

test('a query whose answer was lost is sent again, and not run and paid for twice', async () => {
  await load([{ service: 'Cloud SQL', cost: 1 }]);
  emulator.world.faults.plan({ method: 'bigquery.jobs.query', do: 'cut', when: 'after' });
  expect(await bill()).toHaveLength(1);
  expect(calls('query')).toBe(2);
  expect(emulator.world.state.table('bigquery.jobs').size()).toBe(1);
});

test('an export without rows of the month is an empty bill', async () => {
  await load([]);
  expect(await bill()).toEqual([]);
});

test('each refusal says what to do about it', async () => {
  expect(await refused()).toMatch(/^cloud-bill-unknown: there is no table shop-billing\.costs.*`cloud\.billingExport`/);
  await load([]);
  const deny = (message: string) =>
    emulator.world.faults.plan({
      method: 'bigquery.jobs.query',
      do: 'fail',
      status: 'PERMISSION_DENIED',
      reason: 'accessDenied',
      message,
    });
  deny(
    'Access Denied: Project demo-project: User does not have bigquery.jobs.create permission in project demo-project.',
  );
  expect(await refused()).toMatch(/may run no query in demo-project; gcloud .*roles\/bigquery\.jobUser$/);
  deny(
    `Access Denied: Table ${EXPORT}: User does not have permission to query table ${EXPORT}, or perhaps it does not exist.`,
  );
  expect(await refused()).toMatch(
    /may not read shop-billing\S+; ask an owner of shop-billing for roles\/bigquery\.dataViewer/,
  );
  emulator.world.faults.plan({
    method: 'bigquery.jobs.query',
    do: 'fail',
    status: 'INVALID_ARGUMENT',
    reason: 'bytesBilledLimitExceeded',
  });
  expect(await refused()).toMatch(/more than 10 GiB/);
  expect(await refused('shop.costs.x`; DROP')).toMatch(/is the name of no billing export/);
});

test('an API that is off is said to be so, with the command that switches it on', async () => {
  const project = emulator.world.projects.find('demo-project');
  emulator.world.projects.setOn(project, 'bigquery.googleapis.com', false);
  expect(await refused()).toBe(
    'cloud-api-disabled: the API bigquery.googleapis.com is off in this project; evenkeel cloud enable',
  );
});

test('the query bounds what it may cost, and no text of the file comes into SQL', async () => {
  const project = "o'brien`";
  await load([{ service: 'Cloud SQL', cost: 1, labels: { ...LABELS, 'evenkeel-project': project } }]);
  const { cloud } = await driverAt(emulator, { scope: { project } });
  expect(await cloud.billed?.(EXPORT, '202611', never())).toMatchObject([{ labels: { project } }]);
  const [job] = emulator.world.state.table('bigquery.jobs').list();
  expect(job?.['most']).toBe(String(10 * 2 ** 30));
  expect(job?.['query']).not.toContain("o'brien");
  expect(job?.['query']).toContain(`FROM \`${EXPORT}\``);
});

test('whoever leaves meanwhile is not kept', async () => {
  await load([{ service: 'Cloud SQL', cost: 1 }], { late: 1_000_000 });
  const { cloud } = await driverAt(emulator);
  const left = new AbortController();
  const asked = cloud.billed?.(EXPORT, '202611', left.signal);
  await waitFor(() => calls('getQueryResults') > 2, { what: 'several looks at the job' });
  left.abort();
  await expect(asked).rejects.toThrow();
});
