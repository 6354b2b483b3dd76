import type { Api, Call } from '../core/api.ts';
import { collection } from '../core/collection.ts';
import { filterOf } from '../core/filter.ts';
import { alreadyExists, badState, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { paged } from '../core/paged.ts';
import { page } from '../core/pages.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, objectsAt, textAt, textsAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';

const buckets = (world: World) => world.state.table('logging.buckets');

/** Every project has these two from the start; audit logs of 400 days cannot be changed. */
const FIRST = { _Default: 30, _Required: 400 } as const;

export const logging: Api = {
  document: 'logging.v2',
  handlers: {
    'logging.entries.write': (call, world) => {
      for (const given of objectsAt(call.body, 'entries')) {
        const entry = made({
          logName: textAt(call.body, 'logName'),
          resource: call.body['resource'],
          timestamp: timestamp(world.now()),
          insertId: `e${String(world.state.next())}`,
          ...given,
          labels: { ...objectAt(call.body, 'labels'), ...objectAt(given, 'labels') },
          receiveTimestamp: timestamp(world.now()),
        });
        if (textAt(entry, 'logName') === undefined || entry['resource'] === undefined)
          throw invalid('An entry needs a log name and a resource.');
        if (call.body['dryRun'] !== true) world.signals.log(entry);
      }
      return {};
    },
    'logging.entries.list': listEntries,
    'logging.projects.logs.list': (call, world) => {
      const names = [...new Set(world.signals.logged().map((entry) => textAt(entry, 'logName') ?? ''))];
      const own = names.filter((name) => name.startsWith(`${call.at('parent')}/`)).toSorted();
      return made({ logNames: own.length === 0 ? undefined : own });
    },
    'logging.projects.logs.delete': (call, world) => {
      world.signals.forget(call.at('logName'));
      return {};
    },
    'logging.projects.locations.buckets.list': (call, world) => {
      const all = allBuckets(call.at('parent'), world);
      const { entries, nextPageToken } = paged(call, all);
      return made({ buckets: entries, nextPageToken });
    },
    'logging.projects.locations.buckets.get': (call, world) => findBucket(call.at('name'), world),
    'logging.projects.locations.buckets.create': (call, world) => {
      const name = `${call.at('parent')}/buckets/${call.query('bucketId') ?? ''}`;
      if (buckets(world).has(name)) throw alreadyExists(`Bucket ${name} already exists`);
      const now = timestamp(world.now());
      const given = checkedBucket({ retentionDays: 30, ...call.body });
      return buckets(world).set(name, { ...given, name, createTime: now, updateTime: now, lifecycleState: 'ACTIVE' });
    },
    'logging.projects.locations.buckets.patch': (call, world) => {
      const before = findBucket(call.at('name'), world);
      if (before['locked'] === true) throw badState('The bucket is locked and cannot be changed.');
      const mask = call.query('updateMask');
      if (mask === undefined || mask === '') throw invalid('The update mask is required.');
      const after = checkedBucket(masked(before, call.body, mask));
      return buckets(world).set(call.at('name'), {
        ...after,
        name: call.at('name'),
        updateTime: timestamp(world.now()),
      });
    },
    'logging.projects.locations.buckets.delete': (call, world) => {
      findBucket(call.at('name'), world);
      if (/\/_(Default|Required)$/.test(call.at('name'))) throw invalid('This bucket cannot be deleted.');
      buckets(world).delete(call.at('name'));
      return {};
    },
    ...collection({
      methods: 'logging.projects.sinks',
      table: 'logging.sinks',
      list: 'sinks',
      parent: 'parent',
      name: 'sinkName',
      nameOf: (call) => `${call.at('parent')}/sinks/${textAt(call.body, 'name') ?? ''}`,
      shown: (row) => ({ ...row, name: textAt(row, 'name')?.split('/').at(-1) ?? '', resourceName: row['name'] ?? '' }),
      kept: (given, world, call, before) => {
        if (textAt(given, 'destination') === undefined) throw invalid('A sink needs a destination.');
        const now = timestamp(world.now());
        const agent = `serviceAccount:service-${call.project?.number ?? ''}@gcp-sa-logging.iam.gserviceaccount.com`;
        return { ...given, createTime: before?.['createTime'] ?? now, updateTime: now, writerIdentity: agent };
      },
    }),
  },
};

const MOST_ENTRIES = 1000;

function listEntries(call: Call, world: World): JsonObject {
  const names = [
    ...textsAt(call.body, 'resourceNames'),
    ...textsAt(call.body, 'projectIds').map((id) => `projects/${id}`),
  ];
  if (names.length === 0) throw invalid('The names of resources are required.');
  const prefixes = names.map((name) => `${world.projects.normal(name)}/`);
  for (const name of names) if (name.startsWith('projects/')) world.projects.find(name.split('/')[1] ?? '');
  const fits = filterOf(textAt(call.body, 'filter'));
  const newestFirst = textAt(call.body, 'orderBy') === 'timestamp desc';
  const found = world.signals
    .logged()
    .filter((entry) => prefixes.some((prefix) => textAt(entry, 'logName')?.startsWith(prefix) === true) && fits(entry));
  const query = { size: written(call.body['pageSize'] ?? 50), token: textAt(call.body, 'pageToken') };
  const { entries, nextPageToken } = page(found, orderOf(newestFirst), query, { usual: 50, most: MOST_ENTRIES });
  return made({ entries: entries.length === 0 ? undefined : entries, nextPageToken });
}

/** The latest moment that a date can be, so that newest first is an order of texts, too. */
const LATEST = 8.64e15;

const orderOf =
  (newestFirst: boolean) =>
  (entry: JsonObject): string => {
    const text = textAt(entry, 'timestamp') ?? '';
    const nanos = Number((/\.\d{3}(\d{1,6})/.exec(text)?.[1] ?? '').padEnd(6, '0'));
    const [ms, rest] = newestFirst ? [LATEST - Date.parse(text), 999_999 - nanos] : [Date.parse(text), nanos];
    return `${String(ms).padStart(17, '0')}${String(rest).padStart(6, '0')} ${textAt(entry, 'insertId') ?? ''}`;
  };

function allBuckets(parent: string, world: World): JsonObject[] {
  const [, project = '', , location = ''] = parent.split('/');
  for (const id of Object.keys(FIRST)) findBucket(`projects/${project}/locations/global/buckets/${id}`, world);
  return buckets(world).list(`projects/${project}/locations/${location === '-' ? '' : `${location}/`}`);
}

function findBucket(name: string, world: World): JsonObject {
  const found = buckets(world).get(name);
  if (found !== undefined) return found;
  const id = /\/locations\/global\/buckets\/(_Default|_Required)$/.exec(name)?.[1];
  if (id !== '_Default' && id !== '_Required') throw notFound(`Bucket \`${name}\` does not exist`);
  const locked = id === '_Required' ? { locked: true } : {};
  return buckets(world).set(name, { name, retentionDays: FIRST[id], lifecycleState: 'ACTIVE', ...locked });
}

function checkedBucket(bucket: JsonObject): JsonObject {
  const days = Number(bucket['retentionDays'] ?? 30);
  if (days < 1 || days > 3650) throw invalid('The retention is from 1 to 3650 days.');
  return bucket;
}
