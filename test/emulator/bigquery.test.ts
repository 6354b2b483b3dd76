import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { EXPORT, exported } from '../support/cloud/bill.ts';
import { ask, emulated, endEmulators } from './emulated.ts';

let emulator: Emulator;

beforeEach(async () => {
  emulator = await emulated({ on: ['bigquery'] });
  const rows = [
    exported({ service: 'a', cost: 1.5, credits: [-0.5], labels: { team: 'red' } }),
    exported({ service: 'b', cost: 0.25 }),
    exported({ service: 'a', cost: 1, labels: { team: 'red' } }),
  ];
  await ask(emulator, 'POST', null, '/_emulator/tables', { body: { table: EXPORT, rows } });
});
afterEach(endEmulators);

const query = (sql: string, more: object = {}) =>
  ask(emulator, 'POST', 'bigquery', '/bigquery/v2/projects/demo-project/queries', {
    body: { query: sql, useLegacySql: false, ...more },
  });

test('rows are really added up, and answered in the shape of BigQuery', async () => {
  const { status, body } = await query(
    `SELECT service.description AS name, SUM(CAST(cost AS NUMERIC)) AS cost,
       (SELECT MAX(value) FROM UNNEST(labels) WHERE key = 'team') AS team
     FROM \`${EXPORT}\` GROUP BY name, team`,
    { maxResults: 1 },
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({
    kind: 'bigquery#queryResponse',
    jobComplete: true,
    totalRows: '2',
    schema: {
      fields: [
        { name: 'name', type: 'STRING', mode: 'NULLABLE' },
        { name: 'cost', type: 'NUMERIC' },
        { name: 'team', type: 'STRING' },
      ],
    },
    rows: [{ f: [{ v: 'a' }, { v: '2.5' }, { v: 'red' }] }],
    jobReference: { projectId: 'demo-project', location: 'EU' },
  });
  const path = `/bigquery/v2/projects/demo-project/queries/${body.jobReference.jobId}`;
  const rest = await ask(emulator, 'GET', 'bigquery', `${path}?pageToken=${body.pageToken}&location=EU`);
  expect(rest.body).toMatchObject({ rows: [{ f: [{ v: 'b' }, { v: '0.25' }, { v: null }] }], jobComplete: true });
  expect(rest.body.pageToken).toBeUndefined();
  expect((await ask(emulator, 'GET', 'bigquery', `${path}?location=US`)).status).toBe(404);
});

test.each([
  ['SELECT cost FROM `a.b.c` ORDER BY cost', 'ORDER at [1:26]'],
  ['SELECT * FROM `a.b.c`', '"*" at [1:8]'],
  [`SELECT COUNT(cost) FROM \`${EXPORT}\``, 'COUNT at [1:8]'],
  ['DROP TABLE x', 'DROP at [1:1]'],
  ['SELECT cost FROM', 'where it ends'],
])('what is not understood is refused by its name: %s', async (sql, what) => {
  const { status, body } = await query(sql);
  expect(status).toBe(400);
  expect(body.error.errors[0].reason).toBe('invalidQuery');
  expect(body.error.message).toContain(`does not understand this SQL: ${what}`);
});

test.each([
  [`SELECT price FROM \`${EXPORT}\``, 400, 'Unrecognized name: price'],
  [`SELECT service.nothing AS x FROM \`${EXPORT}\``, 400, 'Field name nothing does not exist'],
  [`SELECT cost FROM \`${EXPORT}\` WHERE usages = @x`, 400, 'Unrecognized name: usages'],
  [`SELECT currency FROM \`${EXPORT}\` WHERE currency = @x`, 400, "Query parameter 'x' not found"],
  [`SELECT currency, SUM(CAST(cost AS NUMERIC)) AS c FROM \`${EXPORT}\``, 400, 'neither grouped nor aggregated'],
  ['SELECT cost FROM `shop-billing.costs.other`', 404, 'Not found: Table shop-billing:costs.other'],
  ['SELECT cost FROM `shop-billing.none.other`', 404, 'Not found: Dataset shop-billing:none'],
])('what BigQuery refuses is refused: %s', async (sql, status, message) => {
  const answer = await query(sql);
  expect(answer.status).toBe(status);
  expect(answer.body.error.message).toContain(message);
});

test('more than may be billed is refused, and so is legacy SQL', async () => {
  const sql = `SELECT currency FROM \`${EXPORT}\``;
  const { status, body } = await query(sql, { maximumBytesBilled: '1000' });
  expect([status, body.error.errors[0].reason]).toEqual([400, 'bytesBilledLimitExceeded']);
  expect((await query(sql, { useLegacySql: true })).status).toBe(501);
});

test('rows that no export has are not taken', async () => {
  const load = (rows: object[]) => ask(emulator, 'POST', null, '/_emulator/tables', { body: { table: EXPORT, rows } });
  expect((await load([{ price: 1 }])).status).toBe(400);
  expect((await load([{ cost: '1' }])).status).toBe(400);
  expect((await load([{ resource: { name: 'x' } }])).body.error.message).toContain('no column resource');
});
