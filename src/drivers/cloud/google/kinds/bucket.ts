import type { storage_v1 } from '@googleapis/storage';
import { isOwn } from '../../../../domain/cloud/resource.ts';
import { called } from '../../../../platform/google/http.ts';
import { GoogleRefusal } from '../../../../platform/google/refusal.ts';
import {
  againOnConflict,
  allPages,
  ifThere,
  type KindDriver,
  labelsOf,
  type Seen,
  timeOf,
  unlessStatus,
  type Wanted,
  type Work,
} from '../kind-driver.ts';
import { emptyBucket, sizeOf } from '../objects.ts';
import { nameTaken, ownBucket } from '../own-bucket.ts';

type Bucket = storage_v1.Schema$Bucket;

const READER = 'roles/storage.objectViewer';

/** The rule that deletes: by age, everywhere or below prefixes. Other rules of a bucket are somebody's own and stay. */
const isOurs = (rule: NonNullable<NonNullable<Bucket['lifecycle']>['rule']>[number]): boolean =>
  rule.action?.type === 'Delete' &&
  Object.keys(rule.condition ?? {}).every((key) => key === 'age' || key === 'matchesPrefix') &&
  typeof rule.condition?.age === 'number';

function expireOf(bucket: Bucket): Seen<'bucket'>['attributes']['expire'] {
  const condition = bucket.lifecycle?.rule?.find(isOurs)?.condition;
  return condition ? { days: condition.age ?? 0, prefixes: (condition.matchesPrefix ?? []).toSorted() } : null;
}

function rulesFor(expire: Wanted<'bucket'>['attributes']['expire'], before: Bucket) {
  const others = (before.lifecycle?.rule ?? []).filter((rule) => !isOurs(rule));
  if (expire === null) return { rule: others };
  const prefixes = expire.prefixes.length === 0 ? {} : { matchesPrefix: expire.prefixes };
  return { rule: [...others, { action: { type: 'Delete' }, condition: { age: expire.days, ...prefixes } }] };
}

const seenOf = (bucket: Bucket, isPublic: boolean): Seen<'bucket'> => ({
  kind: 'bucket',
  name: bucket.name ?? '',
  location: (bucket.location ?? '').toLowerCase(),
  attributes: {
    storageClass: bucket.storageClass ?? 'STANDARD',
    uniformAccess: bucket.iamConfiguration?.uniformBucketLevelAccess?.enabled ?? false,
    public: isPublic,
    versioning: bucket.versioning?.enabled ?? false,
    expire: expireOf(bucket),
  },
  labels: labelsOf(bucket.labels),
  state: 'ready',
  createdAt: timeOf(bucket.timeCreated),
});

/** Where public access is prevented nobody has to be asked who may read. */
const mayBePublic = (bucket: Bucket): boolean => bucket.iamConfiguration?.publicAccessPrevention !== 'enforced';

const settings = ({ labels, attributes }: Wanted<'bucket'>, before: Bucket): Bucket => ({
  labels: { ...before.labels, ...labels },
  versioning: { enabled: attributes.versioning },
  lifecycle: rulesFor(attributes.expire, before),
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: attributes.uniformAccess },
    publicAccessPrevention: attributes.public ? 'inherited' : 'enforced',
  },
});

async function isReadByAll({ google, signal }: Pick<Work, 'google' | 'signal'>, bucket: string): Promise<boolean> {
  const client = await google.clients.storage();
  const policy = await called(client.buckets.getIamPolicy({ bucket, optionsRequestedPolicyVersion: 3 }, { signal }));
  return (policy.bindings ?? []).some(
    (one) => one.role === READER && !one.condition && one.members?.includes('allUsers'),
  );
}

async function letAllRead({ google, signal }: Work, bucket: string, wanted: boolean): Promise<void> {
  const client = await google.clients.storage();
  await againOnConflict(async () => {
    const policy = await called(client.buckets.getIamPolicy({ bucket, optionsRequestedPolicyVersion: 3 }, { signal }));
    const has = (one: storage_v1.Schema$Policy['bindings'] & object extends (infer B)[] ? B : never): boolean =>
      one.role === READER && !one.condition && (one.members?.includes('allUsers') ?? false);
    const bindings = policy.bindings ?? [];
    if (bindings.some(has) === wanted) return;
    const next = wanted
      ? [...bindings, { role: READER, members: ['allUsers'] }]
      : bindings
          .map((one) =>
            has(one) ? { ...one, members: one.members?.filter((member) => member !== 'allUsers') ?? [] } : one,
          )
          .filter((one) => (one.members ?? []).length > 0);
    await called(client.buckets.setIamPolicy({ bucket, requestBody: { ...policy, bindings: next } }, { signal }));
  });
}

export const bucket: KindDriver<'bucket'> = {
  async observe(sight) {
    const { google, signal } = sight;
    const client = await google.clients.storage();
    const project = google.scope.cloudProject;
    const all = await allPages(
      (pageToken) =>
        called(
          client.buckets.list(
            { project, projection: 'noAcl', maxResults: 1000, ...(pageToken === undefined ? {} : { pageToken }) },
            { signal },
          ),
        ),
      (page) => page.items,
    );
    return Promise.all(
      all.map(async (one) => {
        const own = isOwn(labelsOf(one.labels), google.scope);
        const seen = seenOf(one, own && mayBePublic(one) && (await isReadByAll(sight, one.name ?? '')));
        return own && sight.sizes ? { ...seen, size: await sizeOf(google, seen.name, signal) } : seen;
      }),
    );
  },

  async create(wanted, work) {
    const { google, signal, say } = work;
    const client = await google.clients.storage();
    const project = google.scope.cloudProject;
    say('creating');
    const requestBody: Bucket = {
      name: wanted.name,
      location: wanted.location ?? google.scope.region,
      storageClass: wanted.attributes.storageClass,
      ...settings(wanted, {}),
    };
    const made = await unlessStatus(409, () => called(client.buckets.insert({ project, requestBody }, { signal })));
    const there = made ?? (await ownBucket(google, wanted.name, signal)) ?? nameTaken(wanted.name);
    if (wanted.attributes.public) await letAllRead(work, wanted.name, true);
    return seenOf(there, wanted.attributes.public);
  },

  async update(wanted, _seen, work) {
    const { google, signal, say } = work;
    const client = await google.clients.storage();
    say('updating');
    const after = await againOnConflict(async () => {
      const before = await called(client.buckets.get({ bucket: wanted.name }, { signal }));
      const ifMetagenerationMatch = before.metageneration;
      return called(
        client.buckets.patch(
          {
            bucket: wanted.name,
            requestBody: settings(wanted, before),
            ...(ifMetagenerationMatch ? { ifMetagenerationMatch } : {}),
          },
          { signal },
        ),
      );
    });
    // Prevention was lifted just now where it has to be public, and where it must not be nobody can read any more.
    await letAllRead(work, wanted.name, wanted.attributes.public);
    return seenOf(after, wanted.attributes.public);
  },

  async remove(gone, work) {
    const { google, signal, say } = work;
    const client = await google.clients.storage();
    for (let tries = 1; ; tries += 1) {
      say('deleting');
      try {
        await ifThere(() => called(client.buckets.delete({ bucket: gone.name }, { signal })));
        return;
      } catch (error) {
        const full = error instanceof GoogleRefusal && error.status === 409;
        if (!full || tries > 3) throw error;
        await ifThere(() => emptyBucket(google, gone.name, signal, say));
      }
    }
  },
};
