import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { createHistogram, fromCounts, quantile, record, toCounts } from '../../src/lib/histogram.ts';
import type { EdgeSample, InstanceSample, Telemetry } from '../../src/ports/store.ts';
import { openTelemetry } from '../../src/store/telemetry/open.ts';
import { tempDir } from '../support/temp.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const start = 1_700_000_000_000 - (1_700_000_000_000 % MINUTE);
const key = 'chat/production/api';

const edge = (at: number, over: Partial<EdgeSample> = {}): EdgeSample => ({
  at,
  key,
  release: 'api@1',
  requests: 100,
  bad: 1,
  classes: [0, 90, 5, 4, 1],
  ttfb: [100, 60, 130, 40],
  ...over,
});
const instance = (at: number, over: Partial<InstanceSample> = {}): InstanceSample => ({
  at,
  key,
  instance: 'i1',
  release: 'api@1',
  cpu: 0.5,
  memory: 1_000_000,
  ...over,
});

interface Opened {
  telemetry: Telemetry;
  file: string;
  warnings: string[];
}

async function open(file = join(tempDir('telemetry'), 'telemetry.db'), collectMs = 0): Promise<Opened> {
  const warnings: string[] = [];
  const telemetry = await openTelemetry({ file, collectMs, warn: (message) => warnings.push(message) });
  onTestFinished(() => telemetry.close().catch(() => {}));
  return { telemetry, file, warnings };
}

test('samples come back in order, of the time, service and release that were asked for', async () => {
  const { telemetry } = await open();
  const samples = [edge(start), edge(start + 10_000), edge(start + 10_000, { release: 'api@2', ttfb: [] })];
  await telemetry.record({ edge: samples.toReversed(), instances: [instance(start)] });
  await telemetry.record({ edge: [edge(start, { key: 'other' })], instances: [] });
  const range = { key, from: start, to: start + 20_000, resolution: '10s' } as const;
  expect(await telemetry.edge(range)).toEqual(samples);
  expect(await telemetry.edge({ ...range, release: 'api@2' })).toEqual(samples.slice(2));
  expect(await telemetry.edge({ ...range, to: start + 10_000 })).toEqual(samples.slice(0, 1));
  expect(await telemetry.instances(range)).toEqual([instance(start)]);
});

test('a minute holds the sum of its samples, and a histogram that tells the same quantiles', async () => {
  const { telemetry } = await open();
  const all = createHistogram();
  for (let tick = 0; tick < 12; tick++) {
    const part = createHistogram();
    for (let value = 1; value <= 50; value++) for (const each of [part, all]) record(each, value * (tick + 1));
    const sample = edge(start + tick * 10_000, { ttfb: toCounts(part), classes: tick === 0 ? [] : [0, 2] });
    await telemetry.record({ edge: [sample], instances: [] });
  }
  const minutes = await telemetry.edge({ key, from: start, to: start + DAY, resolution: '1m' });
  expect(minutes.map(({ at, requests, bad, classes }) => ({ at, requests, bad, classes }))).toEqual([
    { at: start, requests: 600, bad: 6, classes: [0, 10] },
    { at: start + MINUTE, requests: 600, bad: 6, classes: [0, 12] },
  ]);
  const both = fromCounts(minutes.flatMap(({ ttfb }) => ttfb));
  expect(quantile(both, 0.95)).toEqual(quantile(all, 0.95));
});

test('a minute of an instance holds averages and peaks', async () => {
  const { telemetry } = await open();
  await telemetry.record({ edge: [], instances: [instance(start, { cpu: 0.1, memory: 100 })] });
  await telemetry.record({
    edge: [],
    instances: [
      instance(start + 10_000, { cpu: 0.7, memory: 300 }),
      instance(start + 20_000, { cpu: 0.1, memory: 200 }),
      instance(start + 20_000, { instance: 'i2' }),
    ],
  });
  const [first, second, ...more] = await telemetry.instances({ key, from: start, to: start + 1, resolution: '1m' });
  expect(first).toMatchObject({ instance: 'i1', memory: 200, cpuMax: 0.7, memoryMax: 300 });
  expect(first?.cpu).toBeCloseTo(0.3);
  expect(second).toMatchObject({ instance: 'i2', cpu: 0.5 });
  expect(more).toEqual([]);
});

test('what several edges saw at the same time is added up', async () => {
  const { telemetry } = await open();
  await telemetry.record({ edge: [edge(start), edge(start)], instances: [] });
  await telemetry.record({ edge: [edge(start, { bad: 9 })], instances: [] });
  for (const resolution of ['10s', '1m'] as const) {
    const [sample] = await telemetry.edge({ key, from: start, to: start + 1, resolution });
    expect(sample).toMatchObject({ requests: 300, bad: 11, classes: [0, 270, 15, 12, 3], ttfb: [100, 180, 130, 120] });
  }
});

test('ten seconds are kept for a day and minutes for thirty', async () => {
  const { telemetry } = await open();
  const now = start + 40 * DAY;
  const ages = [0, 0.9, 1.1, 29, 31];
  const samples = ages.flatMap((age) =>
    Array.from({ length: 300 }, (_, index) => edge(now - age * DAY - index * 1_000, { key: `k${index % 3}` })),
  );
  await telemetry.record({
    edge: samples,
    instances: [instance(now), instance(now - 2 * DAY), instance(now - 31 * DAY)],
  });
  await telemetry.maintain(now);
  const days = async (resolution: '10s' | '1m') => {
    const range = { key: 'k1', from: 0, to: now + 1, resolution };
    const ats = (await telemetry.edge(range)).map(({ at }) => Math.floor((now - at) / (DAY / 10)) / 10);
    return [...new Set(ats)].toSorted((a, b) => a - b);
  };
  expect(await days('10s')).toEqual([0, 0.9]);
  expect(await days('1m')).toEqual([0, 0.9, 1.1, 29]);
  const range = { key, from: 0, to: now + 1 };
  expect(await telemetry.instances({ ...range, resolution: '10s' })).toHaveLength(1);
  expect(await telemetry.instances({ ...range, resolution: '1m' })).toHaveLength(2);
});

test('samples that wait to be written are there when the file is closed and opened again', async () => {
  const first = await open(undefined, 3_600_000);
  await first.telemetry.record({ edge: [edge(start)], instances: [instance(start)] });
  await first.telemetry.close();
  const { telemetry, warnings } = await open(first.file);
  const range = { key, from: start, to: start + 1, resolution: '10s' } as const;
  expect(await telemetry.edge(range)).toEqual([edge(start)]);
  expect(await telemetry.instances(range)).toEqual([instance(start)]);
  expect(warnings).toEqual([]);
  expect(statSync(first.file).mode & 0o777).toBe(0o600);
});

test('a file that is no database is put aside, with a warning, and begun anew', async () => {
  const file = join(tempDir('telemetry'), 'telemetry.db');
  writeFileSync(file, 'not a database, whatever its name says. '.repeat(200));
  const { telemetry, warnings } = await open(file);
  expect(warnings).toEqual([expect.stringContaining(`${file}.unreadable`)]);
  expect(existsSync(`${file}.unreadable`)).toBe(true);
  await telemetry.record({ edge: [edge(start)], instances: [] });
  expect(await telemetry.edge({ key, from: start, to: start + 1, resolution: '10s' })).toHaveLength(1);
});

test('a file of another version is put aside', async () => {
  const { telemetry: first, file } = await open();
  await first.close();
  const database = new DatabaseSync(file);
  database.exec('pragma user_version = 99');
  database.close();
  const { warnings } = await open(file);
  expect(warnings).toEqual([expect.stringContaining('layout 99')]);
});

test('a file that is damaged while it is in use is begun anew, and what comes then is kept', async () => {
  const { telemetry: first, file } = await open();
  const many = Array.from({ length: 2_000 }, (_, index) => edge(start + index, { key: `k${index}` }));
  await first.record({ edge: many, instances: [] });
  await first.close();
  const { telemetry, warnings } = await open(file);
  const size = statSync(file).size;
  // The first page stays whole, so that the damage is met only when something is looked for.
  const database = Buffer.alloc(size - 4096, 'x');
  const { open: openFile } = await import('node:fs/promises');
  const handle = await openFile(file, 'r+');
  await handle.write(database, 0, database.length, 4096);
  await handle.close();
  await telemetry.record({ edge: [edge(start)], instances: [] });
  expect(await telemetry.edge({ key, from: start, to: start + 1, resolution: '10s' })).toEqual([edge(start)]);
  expect(warnings).toEqual([expect.stringContaining(`${file}.unreadable`)]);
});

test('samples that make no sense are dropped with a warning, and those after them are kept', async () => {
  const { telemetry, warnings } = await open();
  await telemetry.record({ edge: [edge(Number.NaN)], instances: [] });
  await telemetry.record({ edge: [edge(start)], instances: [instance(start)] });
  expect(await telemetry.edge({ key, from: 0, to: start + 1, resolution: '10s' })).toEqual([edge(start)]);
  expect(warnings).toEqual([expect.stringContaining('some will be lost')]);
});
