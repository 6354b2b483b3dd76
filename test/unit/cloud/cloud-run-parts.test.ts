import { describe, expect, test } from 'vitest';
import type { RunService } from '../../../src/domain/cloud/run/api.ts';
import { cloudName, NAME_LIMITS } from '../../../src/domain/cloud/names.ts';
import { jobName, revisionName, tagName } from '../../../src/domain/cloud/run/names.ts';
import { onCloudRun } from '../../../src/domain/cloud/run/on-cloud-run.ts';
import { type InstanceRecord, readRecord, withRecord } from '../../../src/domain/cloud/run/record.ts';
import { countSeries, intervalsOf, timesOf } from '../../../src/domain/cloud/run/series.ts';
import { mergeTargets, nextSplits, wantedShares, withShares } from '../../../src/domain/cloud/run/targets.ts';
import { jobTemplate, revisionTemplate } from '../../../src/domain/cloud/run/template.ts';
import { edgeServiceSchema, type EdgeService } from '../../../src/domain/traffic/protocol.ts';
import { fromCounts, quantile } from '../../../src/lib/histogram.ts';
import { shop } from '../../support/cloud/cloud-run-world.ts';

const BY_REVISION = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';

const instance = (number: number, change: Partial<InstanceRecord> = {}): InstanceRecord => ({
  id: `shop.production.api@${number}.0.0`,
  service: 'api',
  release: `api@${number}`,
  index: 0,
  generation: 0,
  at: 1,
  port: 8080,
  tag: `r${number}`,
  public: true,
  image: 'image',
  ...change,
});

const table = (shares: Record<string, number>, split: EdgeService['split'] = null): EdgeService =>
  edgeServiceSchema.parse({
    project: 'shop',
    environment: 'production',
    service: 'api',
    unit: 'r1',
    routes: [],
    internalPort: null,
    preview: null,
    releases: Object.entries(shares).map(([release, weight]) => ({
      release,
      weight,
      instances: [{ id: `shop.production.${release}.0.0`, port: 8080, startedAt: 1 }],
      static: null,
    })),
    split,
    whenEmpty: 'hold',
    health: { path: '/', graceMs: 0, intervalMs: 100, timeoutMs: 100 },
    timeoutMs: 1,
    drainMs: 1,
  });

const record = (instances: Record<string, InstanceRecord>) => ({
  fence: 1,
  instances,
  table: null,
  splits: { rollout: '', since: [] },
});

describe('names in Cloud Run', () => {
  test('a revision has the same name each time, another one for anything else, and never too long a one', () => {
    const service = 'a'.repeat(49);
    const name = revisionName(service, 'api@12345', 'of this');
    expect(name).toBe(revisionName(service, 'api@12345', 'of this'));
    expect(name).not.toBe(revisionName(service, 'api@12345', 'of that'));
    expect(name.length).toBeLessThanOrEqual(63);
    expect(name.startsWith(`${service}-`)).toBe(true);
    expect([tagName('api', 'api@7', 0), tagName('api', 'api@7', 2)]).toEqual(['r7', 'r7-2']);
  });

  test('a service with a long name has room for the tags of its releases, which stay different beside each other', () => {
    const name = cloudName({ project: 'a'.repeat(30), environment: 'production' }, 'b'.repeat(30), NAME_LIMITS.service);
    const tags = [1, 2, 99, 100, 101, 12_345].flatMap((number) =>
      [0, 1, 12].map((generation) => tagName(name, `api@${number}`, generation)),
    );
    for (const tag of tags) {
      expect(tag).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
      expect(`${tag}${name}`.length).toBeLessThanOrEqual(46);
    }
    expect(new Set(tags).size).toBe(tags.length);
  });

  test('jobs of different environments never share a name', () => {
    const of = (environment: string) => jobName({ project: 'shop', environment }, 'r7f3.migrate.api');
    expect(of('production')).not.toBe(of('staging'));
    expect(of('production')).toMatch(/^[a-z][-a-z0-9]{0,47}[a-z0-9]$/);
    expect(jobName({ project: 'p', environment: 'e' }, 'x'.repeat(300)).length).toBeLessThanOrEqual(49);
  });
});

describe('what is written onto a service', () => {
  test('comes back as it was, beside what others wrote', () => {
    const written = { ...record({ 'api-r1': instance(1, { stopped: 5 }) }), table: table({ 'api@1': 100 }) };
    const annotations = withRecord({ annotations: { theirs: 'stays' } }, written);
    expect(annotations['theirs']).toBe('stays');
    expect(readRecord({ annotations })).toEqual(written);
  });

  test('counts as not there when it cannot be read', () => {
    const annotations = { 'evenkeel-fence': 'x', 'evenkeel-instances': '{"a":1}', 'evenkeel-table': '[' };
    expect(readRecord({ annotations })).toEqual({ ...record({}), fence: 0 });
  });
});

describe('shares', () => {
  const two = record({ a: instance(1), b: instance(2) });

  test('are whole percents that sum to 100, and the smallest is not rounded to nothing', () => {
    expect(wantedShares(table({ 'api@1': 99.6, 'api@2': 0.4 }), two)).toEqual(
      new Map([
        ['b', 1],
        ['a', 99],
      ]),
    );
    expect(wantedShares(table({ 'api@1': 66.6, 'api@2': 33.4 }), two)).toEqual(
      new Map([
        ['b', 33],
        ['a', 67],
      ]),
    );
  });

  test('are asked for only when every release that is to have one has an instance', () => {
    expect(wantedShares(table({ 'api@1': 50, 'api@3': 50 }), two)).toBeNull();
    expect(wantedShares(table({ 'api@1': 100 }), record({ a: instance(1, { stopped: 5 }) }))).toBeNull();
  });

  test('move without taking the tags away, and what was "the latest" is named', () => {
    const service: RunService = {
      latestReadyRevision: 'projects/p/locations/r/services/s/revisions/a',
      traffic: [
        { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 100, tag: 'r1' },
        { type: BY_REVISION, revision: 'b', tag: 'r2' },
      ],
    };
    expect(withShares(service, new Map([['b', 100]]))).toEqual([
      { type: BY_REVISION, revision: 'a', tag: 'r1' },
      { type: BY_REVISION, revision: 'b', percent: 100, tag: 'r2' },
    ]);
    expect(
      mergeTargets([
        { revision: 'a', percent: 30 },
        { revision: 'a', tag: 'x' },
        { revision: 'a', tag: 'y' },
      ]),
    ).toEqual([
      { revision: 'a', percent: 30, tag: 'x' },
      { revision: 'a', tag: 'y' },
    ]);
  });

  test('have a history for as long as a rollout splits them', () => {
    const split = { rollout: 'r1/api', canary: 'api@2', baseline: 'api@1', slow: null };
    const at = (
      weight: number,
      time: number,
      before = { rollout: '', since: [] as { at: number; weight: number }[] },
    ) => nextSplits(before, table({ 'api@1': 100 - weight, 'api@2': weight }, split), time);
    const ten = at(10, 1_000);
    expect(at(10, 2_000, ten)).toBe(ten);
    expect(at(50, 3_000, ten).since).toEqual([
      { at: 1_000, weight: 10 },
      { at: 3_000, weight: 50 },
    ]);
    expect(at(10, 9_000, { rollout: 'r0/api', since: [{ at: 1, weight: 99 }] }).since).toEqual([
      { at: 9_000, weight: 10 },
    ]);
    expect(nextSplits(ten, table({ 'api@2': 100 }), 9_000).since).toEqual([]);
  });
});

describe('templates', () => {
  const project = shop('image@sha256:1', {
    cloud: {
      database: true,
      env: { KEY: [{ secret: 'JWT_SECRET' }], URL: [{ serviceUrl: 'api' }, '/x'], PORT: [{ port: true }] },
    },
  });
  const [service] = onCloudRun({
    ...project,
    cloud: project.cloud && { ...project.cloud, secrets: [{ variable: 'JWT_SECRET', id: 'jwt-secret' }] },
  }).services;
  const config = service?.cloud;
  if (config === undefined) throw new Error('the service is not in the cloud');
  const made = { image: 'image@sha256:1', urlOf: (name: string) => `https://${name}.example` };

  test('property 17: secrets are references, never values', () => {
    const template = revisionTemplate({ ...config, sql: 'p:r:i' }, made, {
      revision: 'api-r1',
      project: 'shop',
      environment: 'production',
      service: 'api',
      release: 'api@1',
      id: 'x',
    });
    const [container] = template.containers;
    expect(container?.env).toContainEqual({
      name: 'KEY',
      valueSource: { secretKeyRef: { secret: 'jwt-secret', version: 'latest' } },
    });
    expect(container?.env).toContainEqual({ name: 'URL', value: 'https://api.example/x' });
    expect(container?.env?.some(({ name }) => name === 'PORT')).toBe(false);
    expect(template).toMatchObject({
      volumes: [{ cloudSqlInstance: { instances: ['p:r:i'] } }],
      scaling: { minInstanceCount: 0, maxInstanceCount: 4 },
      sessionAffinity: false,
    });
    expect(container?.volumeMounts).toEqual([{ name: 'cloudsql', mountPath: '/cloudsql' }]);
    // CPU is paid for while requests are answered, as its price is worked out.
    expect(container?.resources).toMatchObject({ cpuIdle: true });
  });

  test('a job is tried once, with the image and the variables of the release', () => {
    const job = jobTemplate(config, made, { command: 'npm run migrate', env: { MORE: '1' }, timeoutS: 60 });
    expect(job).toMatchObject({ taskCount: 1, template: { maxRetries: 0, timeout: '60s' } });
    expect(job.template.containers[0]).toMatchObject({ command: ['/bin/sh'], args: ['-c', 'npm run migrate'] });
    expect(job.template.containers[0]?.env).toContainEqual({ name: 'MORE', value: '1' });
    expect(job.template.volumes).toBeUndefined();
  });

  test('one revision is one instance, whatever it scales to, and nothing changes where nothing is in the cloud', () => {
    expect(service).toMatchObject({ instances: 1, kind: 'http' });
    const local = { ...project, cloud: project.cloud && { ...project.cloud, runsServices: false } };
    expect(onCloudRun(local)).toBe(local);
  });
});

describe('counts of Cloud Monitoring', () => {
  const series = (revision: string, code: string, points: [end: string, value: number][]) => ({
    metric: { type: 'run.googleapis.com/request_count', labels: { response_code_class: code } },
    resource: { labels: { revision_name: revision } },
    points: points.map(([endTime, value]) => ({ interval: { endTime }, value: { int64Value: String(value) } })),
  });

  test('are put side by side by the period that they end in', () => {
    const counted = countSeries(
      [
        series('a', '2xx', [['1970-01-01T00:01:00Z', 90]]),
        series('a', '5xx', [['1970-01-01T00:00:59Z', 3]]),
        series('b', '5xx', [
          ['1970-01-01T00:01:00Z', 7],
          ['nonsense', 9],
        ]),
      ],
      { periodMs: 60_000, timeOf: (text) => Date.parse(text) },
    );
    const of = { canary: new Set(['b']), baseline: new Set(['a']), slow: null };
    expect(intervalsOf(counted, of, 60_000)).toMatchObject([
      { from: 0, until: 60_000, canary: { requests: 7, bad: 7 }, baseline: { requests: 93, bad: 3 } },
    ]);
  });

  test('a distribution never looks faster than it was', () => {
    const times = timesOf({
      bucketCounts: ['0', '0', '10', '90'],
      bucketOptions: { exponentialBuckets: { numFiniteBuckets: 10, growthFactor: 2, scale: 1 } },
    });
    expect(quantile(fromCounts(times), 0.05)?.low).toBeGreaterThanOrEqual(3.9);
    expect(quantile(fromCounts(times), 0.5)?.low).toBeGreaterThanOrEqual(7.9);
  });
});
