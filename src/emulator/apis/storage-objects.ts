import { createHash } from 'node:crypto';
import { Raw } from '../core/api.ts';
import type { Call, Handler } from '../core/api.ts';
import { crc32c } from '../core/crc32c.ts';
import { etagOf } from '../core/etag.ts';
import { GoogleError, invalid, notFound } from '../core/google-error.ts';
import { page } from '../core/pages.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, merged, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { conditions, findBucket } from './storage-buckets.ts';

/** Objects by `<bucket>/<name>`; of each the newest generation alone, since versions are not modelled. */
const objects = (world: World) => world.state.table('storage.objects');

/** The bytes of an object, for whoever builds from a source that was uploaded; undefined when there is none. */
export const objectBytes = (world: World, bucket: string, name: string): Promise<Buffer | undefined> =>
  world.blobs.get(`${bucket}/${name}`);

/** Stores an object as an upload does. */
export async function putObject(
  world: World,
  bucket: string,
  { name, bytes, given = {}, origin }: { name: string; bytes: Buffer; given?: JsonObject; origin: string },
): Promise<JsonObject> {
  const key = `${bucket}/${name}`;
  const generation = String(world.now() * 1000 + (world.state.next() % 1000));
  const now = timestamp(world.now());
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(bytes));
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  const object = {
    contentType: 'application/octet-stream',
    storageClass: textAt(findBucket(world, bucket), 'storageClass') ?? 'STANDARD',
    ...given,
    kind: 'storage#object',
    id: `${key}/${generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation,
    metageneration: '1',
    size: String(bytes.length),
    md5Hash: createHash('md5').update(bytes).digest('base64'),
    crc32c: checksum.toString('base64'),
    timeCreated: now,
    updated: now,
    timeStorageClassUpdated: now,
  };
  await world.blobs.put(key, bytes);
  return objects(world).set(key, { ...object, etag: etagOf(object) });
}

export const objectHandlers: Record<string, Handler> = {
  'storage.objects.insert': async (call, world) => {
    const bucket = call.at('bucket');
    findBucket(world, bucket);
    const name = call.query('name') ?? textAt(call.body, 'name') ?? '';
    if (name === '' || Buffer.byteLength(name) > 1024) throw invalid('Required parameter: name');
    if (call.media === null) throw invalid('An object is inserted by an upload.');
    conditions(call, objects(world).get(`${bucket}/${name}`) ?? null);
    const { name: _, kind: __, ...given } = call.body;
    const contentType = textAt(call.body, 'contentType') ?? call.media.contentType;
    const { bytes } = call.media;
    refuseDamaged(given, bytes);
    return putObject(world, bucket, { name, bytes, given: { ...given, contentType }, origin: call.origin });
  },
  'storage.objects.get': async (call, world) => {
    const object = find(call, world);
    if (call.query('alt') !== 'media') return object;
    const bytes = (await objectBytes(world, call.at('bucket'), call.at('object'))) ?? Buffer.alloc(0);
    return media(call, object, bytes);
  },
  'storage.objects.list': (call, world) => {
    const bucket = call.at('bucket');
    findBucket(world, bucket);
    const prefix = call.query('prefix') ?? '';
    const delimiter = call.query('delimiter') ?? '';
    const entries = new Map<string, JsonObject | null>();
    for (const object of objects(world).list(`${bucket}/${prefix}`)) {
      const name = textAt(object, 'name') ?? '';
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      if (end === -1) entries.set(name, object);
      else entries.set(name.slice(0, end + delimiter.length), null);
    }
    const query = { size: call.query('maxResults'), token: call.query('pageToken') };
    const { entries: shown, nextPageToken } = page([...entries], ([name]) => name, query, { usual: 1000 });
    const items = shown.flatMap(([, object]) => (object === null ? [] : [object]));
    const prefixes = shown.filter(([, object]) => object === null).map(([name]) => name);
    return made({
      kind: 'storage#objects',
      nextPageToken,
      prefixes: prefixes.length === 0 ? undefined : prefixes,
      items: items.length === 0 ? undefined : items,
    });
  },
  'storage.objects.delete': async (call, world) => {
    conditions(call, find(call, world));
    const key = `${call.at('bucket')}/${call.at('object')}`;
    objects(world).delete(key);
    await world.blobs.delete(key);
    return {};
  },
  'storage.objects.patch': (call, world) => {
    const before = find(call, world);
    conditions(call, before);
    const { name: _, etag: __, ...given } = call.body;
    const metageneration = String(Number(before['metageneration']) + 1);
    const after = { ...merged(before, given), metageneration, updated: timestamp(world.now()) };
    return objects(world).set(`${call.at('bucket')}/${call.at('object')}`, { ...after, etag: etagOf(after) });
  },
  'storage.objects.copy': copied,
  'storage.objects.rewrite': async (call, world) => {
    const resource = await copied(call, world);
    const size = textAt(resource, 'size') ?? '0';
    return { kind: 'storage#rewriteResponse', totalBytesRewritten: size, objectSize: size, done: true, resource };
  },
};

async function copied(call: Call, world: World): Promise<JsonObject> {
  const from = `${call.at('sourceBucket')}/${call.at('sourceObject')}`;
  const source = objects(world).get(from);
  if (source === undefined) throw notFound(`No such object: ${from}`);
  const bytes = (await world.blobs.get(from)) ?? Buffer.alloc(0);
  const { name: _, ...over } = call.body;
  const given =
    Object.keys(over).length > 0 ? over : made({ contentType: source['contentType'], metadata: source['metadata'] });
  return putObject(world, call.at('destinationBucket'), {
    name: call.at('destinationObject'),
    bytes,
    given,
    origin: call.origin,
  });
}

function find(call: Call, world: World): JsonObject {
  const bucket = call.at('bucket');
  findBucket(world, bucket);
  const object = objects(world).get(`${bucket}/${call.at('object')}`);
  const generation = call.query('generation');
  if (object === undefined || (generation !== undefined && generation !== object['generation']))
    throw notFound(`No such object: ${bucket}/${call.at('object')}`);
  return object;
}

/** Whoever uploads may say what should have arrived. */
function refuseDamaged(given: JsonObject, bytes: Buffer): void {
  const md5 = textAt(given, 'md5Hash');
  if (md5 !== undefined && md5 !== createHash('md5').update(bytes).digest('base64'))
    throw invalid('Provided MD5 hash does not match the content.');
  const sum = textAt(given, 'crc32c');
  if (sum !== undefined && Buffer.from(sum, 'base64').readUInt32BE() !== crc32c(bytes))
    throw invalid('Provided CRC32C does not match the content.');
}

/** The bytes, or the range of them that was asked for. */
function media(call: Call, object: JsonObject, bytes: Buffer): Raw {
  const headers = {
    'content-type': textAt(object, 'contentType') ?? 'application/octet-stream',
    etag: textAt(object, 'etag') ?? '',
    'x-goog-generation': textAt(object, 'generation') ?? '',
    'x-goog-hash': `crc32c=${textAt(object, 'crc32c') ?? ''},md5=${textAt(object, 'md5Hash') ?? ''}`,
    'x-goog-stored-content-length': String(bytes.length),
  };
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(call.headers.range ?? '') ?? [];
  if (from === '' && to === '') return new Raw(200, headers, bytes);
  const start = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
  if (start >= bytes.length) throw new GoogleError('INVALID_ARGUMENT', 'Request range not satisfiable', { http: 416 });
  const range = `bytes ${String(start)}-${String(end)}/${String(bytes.length)}`;
  return new Raw(206, { ...headers, 'content-range': range }, bytes.subarray(start, end + 1));
}
