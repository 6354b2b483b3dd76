import type { Call, Handler } from '../core/api.ts';
import { notFound } from '../core/google-error.ts';
import { render } from '../core/operations.ts';
import { paged } from '../core/paged.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, textAt, textsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Versions by `<repository>/packages/<package>/versions/<digest>`, tags by `…/tags/<tag>` with the version's name. */
const versions = (world: World) => world.state.table('artifactregistry.versions');
const tags = (world: World) => world.state.table('artifactregistry.tags');

export interface Image {
  /** `projects/p/locations/l/repositories/r`. */
  repository: string;
  /** Name within the repository, such as `api`. */
  package: string;
  /** `sha256:…` */
  digest: string;
  tags: string[];
  sizeBytes: number;
}

/** `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/PACKAGE[:TAG][@DIGEST]` in its parts; null for another registry's. */
export function imageReference(
  text: string,
): { repository: string; package: string; tag: string | null; digest: string | null } | null {
  const match =
    /^([a-z0-9-]+)-docker\.pkg\.dev\/([^/]+)\/([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(text);
  if (match === null) return null;
  const [, location = '', project = '', repository = '', name = '', tag = null, digest = null] = match;
  return {
    repository: `projects/${project}/locations/${location}/repositories/${repository}`,
    package: name,
    tag: tag ?? (digest === null ? 'latest' : null),
    digest,
  };
}

/** Pushes an image: a tag that another version had moves. Throws 404 when the repository is not there. */
export function pushImage(world: World, image: Image): void {
  if (!world.state.table('artifactregistry.repositories').has(image.repository))
    throw notFound(`Repository "${image.repository}" not found`);
  const parent = packageName(image.repository, image.package);
  const now = timestamp(world.now());
  const name = `${parent}/versions/${image.digest}`;
  const before = versions(world).get(name);
  versions(world).set(name, {
    name,
    createTime: before?.['createTime'] ?? now,
    updateTime: now,
    sizeBytes: image.sizeBytes,
  });
  for (const tag of image.tags)
    tags(world).set(`${parent}/tags/${tag}`, { name: `${parent}/tags/${tag}`, version: name });
}

/** The image of a reference (see `imageReference`), or null when there is none. */
export function findImage(world: World, reference: string): Image | null {
  const named = imageReference(reference);
  if (named === null) return null;
  const parent = packageName(named.repository, named.package);
  const version =
    named.digest === null
      ? textAt(tags(world).get(`${parent}/tags/${named.tag ?? ''}`), 'version')
      : `${parent}/versions/${named.digest}`;
  const row = version === undefined ? undefined : versions(world).get(version);
  return row === undefined ? null : imageOf(world, row);
}

/** All images of a repository. */
export const imagesBelow = (world: World, repository: string): Image[] =>
  versions(world)
    .list(`${repository}/packages/`)
    .map((row) => imageOf(world, row));

/** A slash in a package's name is encoded within a resource's name. */
const packageName = (repository: string, name: string): string =>
  `${repository}/packages/${name.replaceAll('/', '%2F')}`;

function imageOf(world: World, version: JsonObject): Image {
  const name = textAt(version, 'name') ?? '';
  const [repository = '', rest = ''] = name.split('/packages/');
  const [packaged = '', digest = ''] = rest.split('/versions/');
  return {
    repository,
    package: packaged.replaceAll('%2F', '/'),
    digest,
    tags: tagsOf(world, name).map((tag) => textAt(tag, 'name')?.split('/tags/')[1] ?? ''),
    sizeBytes: Number(version['sizeBytes'] ?? 0),
  };
}

const tagsOf = (world: World, version: string): JsonObject[] =>
  tags(world)
    .list(`${version.split('/versions/')[0] ?? ''}/tags/`)
    .filter((tag) => tag['version'] === version);

const PREFIX = 'artifactregistry.projects.locations.repositories';

export const imageHandlers: Record<string, Handler> = {
  [`${PREFIX}.dockerImages.list`]: (call, world) => {
    const images = versions(world)
      .list(`${call.at('parent')}/packages/`)
      .map((row) => shownImage(world, row));
    const { entries, nextPageToken } = paged(call, images);
    return made({ dockerImages: entries, nextPageToken });
  },
  [`${PREFIX}.dockerImages.get`]: (call, world) => {
    const [repository = '', image = ''] = call.at('name').split('/dockerImages/');
    const [name = '', digest = ''] = image.split('@');
    const row = versions(world).get(`${packageName(repository, name)}/versions/${digest}`);
    if (row === undefined) throw missing(call);
    return shownImage(world, row);
  },
  [`${PREFIX}.packages.list`]: (call, world) => {
    const newest = new Map<string, JsonObject>();
    for (const row of versions(world).list(`${call.at('parent')}/packages/`)) {
      const name = textAt(row, 'name')?.split('/versions/')[0] ?? '';
      newest.set(name, made({ name, createTime: row['createTime'], updateTime: row['updateTime'] }));
    }
    const { entries, nextPageToken } = paged(call, [...newest.values()]);
    return made({ packages: entries, nextPageToken });
  },
  [`${PREFIX}.packages.delete`]: (call, world) => {
    if (versions(world).keys(`${call.at('name')}/versions/`).length === 0) throw missing(call);
    return emptied(call, world, `${call.at('name')}/`);
  },
  [`${PREFIX}.packages.versions.list`]: (call, world) => {
    const { entries, nextPageToken } = paged(call, versions(world).list(`${call.at('parent')}/versions/`));
    return made({ versions: entries.map((row) => shownVersion(world, row)), nextPageToken });
  },
  [`${PREFIX}.packages.versions.get`]: (call, world) => {
    const row = versions(world).get(call.at('name'));
    if (row === undefined) throw missing(call);
    return shownVersion(world, row);
  },
  [`${PREFIX}.packages.versions.delete`]: (call, world) => {
    if (!versions(world).has(call.at('name'))) throw missing(call);
    return emptied(call, world, call.at('name'));
  },
  [`${PREFIX}.packages.versions.batchDelete`]: async (call, world) => {
    for (const name of textsAt(call.body, 'names')) remove(world, name);
    return ended(call, world);
  },
  [`${PREFIX}.packages.tags.list`]: (call, world) => {
    const { entries, nextPageToken } = paged(call, tags(world).list(`${call.at('parent')}/tags/`));
    return made({ tags: entries, nextPageToken });
  },
  [`${PREFIX}.packages.tags.get`]: (call, world) => {
    const row = tags(world).get(call.at('name'));
    if (row === undefined) throw missing(call);
    return row;
  },
  [`${PREFIX}.packages.tags.create`]: (call, world) => {
    const version = textAt(call.body, 'version') ?? '';
    if (!versions(world).has(version)) throw notFound(`Version "${version}" not found`);
    const name = `${call.at('parent')}/tags/${call.query('tagId') ?? ''}`;
    return tags(world).set(name, { name, version });
  },
  [`${PREFIX}.packages.tags.patch`]: (call, world) => {
    const version = textAt(call.body, 'version') ?? '';
    if (!versions(world).has(version)) throw notFound(`Version "${version}" not found`);
    return tags(world).set(call.at('name'), { name: call.at('name'), version });
  },
  [`${PREFIX}.packages.tags.delete`]: (call, world) => {
    if (!tags(world).delete(call.at('name'))) throw missing(call);
    return {};
  },
};

const missing = (call: Call): Error => notFound(`Requested entity was not found: ${call.at('name')}`);

/** Deletes versions of this name or below it, with their tags. */
function remove(world: World, prefix: string): void {
  for (const version of versions(world).keys(prefix)) {
    for (const tag of tagsOf(world, version)) tags(world).delete(textAt(tag, 'name') ?? '');
    versions(world).delete(version);
  }
}

async function emptied(call: Call, world: World, prefix: string): Promise<JsonObject> {
  remove(world, prefix);
  return ended(call, world);
}

async function ended(call: Call, world: World): Promise<JsonObject> {
  const location = (call.at('name') || call.at('parent')).split('/repositories/')[0] ?? '';
  const operation = await world.operations.start({
    api: 'artifactregistry',
    name: `${location}/operations/{id}`,
    takes: 2,
    metadata: { '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata' },
    response: { '@type': 'type.googleapis.com/google.protobuf.Empty' },
  });
  return render(operation);
}

function shownVersion(world: World, row: JsonObject): JsonObject {
  const { sizeBytes: _, ...version } = row;
  const related = tagsOf(world, textAt(row, 'name') ?? '');
  return made({ ...version, relatedTags: related.length === 0 ? undefined : related });
}

function shownImage(world: World, row: JsonObject): JsonObject {
  const image = imageOf(world, row);
  const [, project = '', , location = '', , repository = ''] = image.repository.split('/');
  return made({
    name: `${image.repository}/dockerImages/${image.package.replaceAll('/', '%2F')}@${image.digest}`,
    uri: `${location}-docker.pkg.dev/${project}/${repository}/${image.package}@${image.digest}`,
    tags: image.tags.length === 0 ? undefined : image.tags,
    imageSizeBytes: String(image.sizeBytes),
    uploadTime: row['createTime'],
    updateTime: row['updateTime'],
    buildTime: row['createTime'],
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  });
}
