import type { Call, Handler } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { alreadyExists, GoogleError, invalid, notFound } from '../core/google-error.ts';
import { paged } from '../core/paged.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { listAt, made, merged, objectAt, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Buckets by name: it is one for everybody's. */
const buckets = (world: World) => world.state.table('storage.buckets');
const objects = (world: World) => world.state.table('storage.objects');

export function findBucket(world: World, name: string): JsonObject {
  const bucket = buckets(world).get(name);
  if (bucket === undefined) throw notFound('The specified bucket does not exist.');
  return bucket;
}

export const bucketHandlers: Record<string, Handler> = {
  'storage.buckets.insert': (call, world) => {
    const name = textAt(call.body, 'name') ?? '';
    if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(name) || /^goog|google/.test(name))
      throw invalid(`Invalid bucket name: '${name}'`);
    if (buckets(world).has(name))
      throw alreadyExists('Your previous request to create the named bucket succeeded and you already own it.');
    const now = timestamp(world.now());
    const { name: _, kind: __, etag: ___, ...given } = call.body;
    const bucket = merged(
      {
        kind: 'storage#bucket',
        id: name,
        selfLink: `https://www.googleapis.com/storage/v1/b/${name}`,
        name,
        projectNumber: call.project?.number ?? '',
        generation: String(world.state.next()),
        metageneration: '1',
        location: 'US',
        storageClass: 'STANDARD',
        timeCreated: now,
        updated: now,
        iamConfiguration: { uniformBucketLevelAccess: { enabled: false }, publicAccessPrevention: 'inherited' },
        softDeletePolicy: { retentionDurationSeconds: '604800', effectiveTime: now },
      },
      given,
    );
    const location = (textAt(bucket, 'location') ?? 'US').toUpperCase();
    const locationType = /^(US|EU|ASIA)$/.test(location) ? 'multi-region' : 'region';
    return buckets(world).set(name, checked({ ...bucket, location, locationType }));
  },
  'storage.buckets.get': (call, world) => {
    const bucket = findBucket(world, call.at('bucket'));
    conditions(call, bucket);
    return bucket;
  },
  'storage.buckets.getStorageLayout': (call, world) => {
    const { name, location, locationType } = findBucket(world, call.at('bucket'));
    return made({ kind: 'storage#storageLayout', bucket: name, location, locationType });
  },
  // None can be made; clients look for them before they delete a bucket.
  'storage.managedFolders.list': (call, world) => {
    findBucket(world, call.at('bucket'));
    return { kind: 'storage#managedFolders' };
  },
  'storage.buckets.list': (call, world) => {
    const all = buckets(world)
      .list(call.query('prefix') ?? '')
      .filter((bucket) => bucket['projectNumber'] === call.project?.number);
    const { entries, nextPageToken } = paged(call, all, { usual: 1000 });
    return made({ kind: 'storage#buckets', items: entries.length === 0 ? undefined : entries, nextPageToken });
  },
  'storage.buckets.patch': (call, world) => change(call, world, (bucket) => merged(bucket, call.body)),
  'storage.buckets.update': (call, world) =>
    change(call, world, (bucket) => ({
      ...call.body,
      ...Object.fromEntries(KEPT.filter((key) => bucket[key] !== undefined).map((key) => [key, bucket[key] ?? ''])),
    })),
  'storage.buckets.delete': (call, world) => {
    const name = call.at('bucket');
    conditions(call, findBucket(world, name));
    if (objects(world).keys(`${name}/`).length > 0)
      throw new GoogleError('ABORTED', 'The bucket you tried to delete is not empty.');
    buckets(world).delete(name);
    world.policies.delete(`buckets/${name}`);
    return {};
  },
  'storage.buckets.getIamPolicy': (call, world) => shownPolicy(call, world),
  'storage.buckets.setIamPolicy': (call, world) => {
    const bucket = findBucket(world, call.at('bucket'));
    const everybody = listAt(call.body, 'bindings').some((binding) =>
      textsAt(binding, 'members').some((member) => member === 'allUsers' || member === 'allAuthenticatedUsers'),
    );
    if (everybody && textAt(bucket, 'iamConfiguration.publicAccessPrevention') === 'enforced')
      throw new GoogleError(
        'CONDITION_NOT_MET',
        'One or more users named in the policy do not belong to a permitted customer.',
      );
    const { kind: _, resourceId: __, ...policy } = call.body;
    world.policies.set(`buckets/${call.at('bucket')}`, policy, {
      first: firstBindings(world, bucket),
      stale: 'CONDITION_NOT_MET',
    });
    return shownPolicy(call, world);
  },
  'storage.buckets.testIamPermissions': (call) => ({
    kind: 'storage#testIamPermissionsResponse',
    permissions: call.all('permissions'),
  }),
};

/** What a replacement cannot change. */
const KEPT = [
  'kind',
  'id',
  'selfLink',
  'name',
  'projectNumber',
  'generation',
  'metageneration',
  'location',
  'locationType',
  'timeCreated',
] as const;

function change(call: Call, world: World, by: (bucket: JsonObject) => JsonObject): JsonObject {
  const bucket = findBucket(world, call.at('bucket'));
  conditions(call, bucket);
  const metageneration = String(Number(bucket['metageneration']) + 1);
  const after = { ...by(bucket), name: call.at('bucket'), metageneration, updated: timestamp(world.now()) };
  return buckets(world).set(call.at('bucket'), checked(after));
}

/** Both names of one setting agree, and the etag is of what it says. */
function checked(bucket: JsonObject): JsonObject {
  const uniform = objectAt(bucket, 'iamConfiguration.uniformBucketLevelAccess');
  for (const rule of listAt(bucket, 'lifecycle.rule')) {
    if (!/^(Delete|SetStorageClass|AbortIncompleteMultipartUpload)$/.test(textAt(rule, 'action.type') ?? ''))
      throw invalid('A lifecycle rule needs an action.');
    if (Object.keys(objectAt(rule, 'condition')).length === 0) throw invalid('A lifecycle rule needs a condition.');
  }
  const { etag: _, ...rest } = merged(bucket, { iamConfiguration: { bucketPolicyOnly: uniform } });
  return { ...rest, etag: etagOf(rest) };
}

/** Preconditions by generation, as 412. */
export function conditions(call: Call, resource: JsonObject | null): void {
  for (const field of ['generation', 'metageneration']) {
    const name = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
    const found = resource === null ? '0' : textAt(resource, field);
    const match = call.query(`if${name}Match`);
    const not = call.query(`if${name}NotMatch`);
    if ((match !== undefined && match !== found) || (not !== undefined && not === found))
      throw new GoogleError('CONDITION_NOT_MET', 'At least one of the pre-conditions you specified did not hold.');
  }
}

function shownPolicy(call: Call, world: World): JsonObject {
  const name = call.at('bucket');
  const policy = world.policies.get(`buckets/${name}`, firstBindings(world, findBucket(world, name)));
  return { kind: 'storage#policy', resourceId: `projects/_/buckets/${name}`, ...policy };
}

function firstBindings(world: World, bucket: JsonObject): JsonObject[] {
  const project = world.projects.find(textAt(bucket, 'projectNumber') ?? '').id;
  return [
    { role: 'roles/storage.legacyBucketOwner', members: [`projectEditor:${project}`, `projectOwner:${project}`] },
    { role: 'roles/storage.legacyBucketReader', members: [`projectViewer:${project}`] },
  ];
}
