import type { Call } from '../core/api.ts';
import { filterOf, lookup } from '../core/filter.ts';
import { invalid } from '../core/google-error.ts';
import { page } from '../core/pages.ts';
import type { Sample } from '../core/signals.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { align, reduce } from './monitoring-align.ts';
import type { Point, Series } from './monitoring-align.ts';
import { distributionOf } from './monitoring-distribution.ts';

/** `timeSeries.list`: what was measured, aligned to periods and joined as the request asks. */
export function listTimeSeries(call: Call, world: World): JsonObject {
  const filter = call.query('filter') ?? '';
  const metric = /metric\.type\s*=\s*"([^"]+)"/.exec(filter)?.[1];
  if (metric === undefined) throw invalid('The filter must name one metric.type.');
  const end = Date.parse(call.query('interval.endTime') ?? '');
  if (Number.isNaN(end)) throw invalid('The end of the interval is required.');
  const start = Date.parse(call.query('interval.startTime') ?? call.query('interval.endTime') ?? '');
  if (start > end) throw invalid('The interval ends before it starts.');
  const fits = filterOf(filter);
  const samples = world.signals
    .measured(call.project?.id ?? '', metric, start, end)
    .filter((sample) => fits(described(sample)));
  let series = grouped(samples);

  const aligner = call.query('aggregation.perSeriesAligner') ?? 'ALIGN_NONE';
  const reducer = call.query('aggregation.crossSeriesReducer') ?? 'REDUCE_NONE';
  if (aligner !== 'ALIGN_NONE') {
    const period = Number((call.query('aggregation.alignmentPeriod') ?? '60s').slice(0, -1)) * 1000;
    if (!(period >= 60_000)) throw invalid('The alignment period is at least 60 seconds.');
    series = series.map((one) => align(one, { aligner, period, start, end }));
  } else if (reducer !== 'REDUCE_NONE') {
    throw invalid('Series that are joined have to be aligned.');
  }
  if (reducer !== 'REDUCE_NONE') {
    const fields = call.all('aggregation.groupByFields').flatMap((field) => field.split(','));
    series = joined(series, reducer, fields);
  }
  const shown = series.filter(({ points }) => points.length > 0).map((one) => rendered(one, call.query('view')));
  const query = { size: call.query('pageSize'), token: call.query('pageToken') };
  const { entries, nextPageToken } = page(shown, (one) => JSON.stringify([one['metric'], one['resource']]), query, {
    usual: 1000,
    most: 100_000,
  });
  return made({
    timeSeries: entries.length === 0 ? undefined : entries,
    nextPageToken,
    unit: entries.length === 0 ? undefined : '1',
  });
}

const described = (sample: Sample): JsonObject => ({
  metric: { type: sample.metric, labels: sample.labels },
  resource: { type: sample.resource.type, labels: { project_id: sample.project, ...sample.resource.labels } },
});

/** One series for each combination of labels. */
function grouped(samples: readonly Sample[]): Series[] {
  const found = new Map<string, Series>();
  for (const sample of samples) {
    const row = described(sample);
    const key = JSON.stringify(row);
    const series = found.get(key) ?? { row, points: [] };
    series.points.push({ from: sample.from, to: sample.to, value: sample.value });
    found.set(key, series);
  }
  return [...found.values()];
}

function joined(series: readonly Series[], reducer: string, fields: readonly string[]): Series[] {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const key = JSON.stringify(fields.map((field) => written(lookup(one.row, field))));
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => ({
    row: labelled(group[0]?.row ?? {}, fields),
    points: reduce(group, reducer),
  }));
}

/** Of a joined series only the labels by which it was grouped are known. */
function labelled(row: JsonObject, fields: readonly string[]): JsonObject {
  const part = (name: 'metric' | 'resource'): JsonObject => {
    const named = fields
      .filter((field) => field.startsWith(`${name}.label`))
      .map((field) => field.split('.').slice(2).join('.').replaceAll('"', ''));
    const labels = Object.fromEntries(named.map((label) => [label, written(lookup(row, `${name}.labels.${label}`))]));
    return { type: written(lookup(row, `${name}.type`)), labels };
  };
  return { metric: part('metric'), resource: part('resource') };
}

/** Newest point first, as the API has them. */
function rendered({ row, points }: Series, view: string | undefined): JsonObject {
  const first = points[0]?.value;
  const distribution = Array.isArray(first);
  const gauge = points.some(({ gauge }) => gauge === true);
  const isWhole = points.every(({ value }) => Number.isInteger(value));
  const valueType = distribution ? 'DISTRIBUTION' : isWhole && !gauge ? 'INT64' : 'DOUBLE';
  const shown = points
    .toSorted((a, b) => b.to - a.to)
    .map((point) => ({
      interval: { startTime: timestamp(gauge ? point.to : point.from), endTime: timestamp(point.to) },
      value: valueOf(point, valueType),
    }));
  return { ...row, metricKind: gauge ? 'GAUGE' : 'DELTA', valueType, ...(view === 'HEADERS' ? {} : { points: shown }) };
}

function valueOf({ value }: Point, type: string): JsonObject {
  if (Array.isArray(value)) return { distributionValue: distributionOf(value) };
  return type === 'INT64' ? { int64Value: String(value) } : { doubleValue: value };
}
