import type { Api, Call } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { crc32c } from '../core/crc32c.ts';
import { alreadyExists, badState, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { page } from '../core/pages.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { at, made, objectAt, textAt, textsAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** Secrets by `projects/<id>/secrets/<name>`, versions below `…/versions/<padded number>`, values beside them. */
const secrets = (world: World) => world.state.table('secretmanager.secrets');
const versions = (world: World) => world.state.table('secretmanager.versions');
const values = (world: World) => world.state.table('secretmanager.values');

const MOST_BYTES = 65_536;

export const secretmanager: Api = {
  document: 'secretmanager.v1',
  handlers: {
    'secretmanager.projects.secrets.create': (call, world) => {
      const id = call.query('secretId') ?? '';
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(id))
        throw invalid(`The provided Secret ID [${id}] does not match the expected format.`);
      if (call.body['replication'] === undefined) throw invalid('Secret.replication is required.');
      const name = `${call.at('parent')}/secrets/${id}`;
      if (secrets(world).has(name)) throw alreadyExists(`Secret [${external(call, name)}] already exists.`);
      const { name: _, ...given } = call.body;
      return shown(call, secrets(world).set(name, stamped({ ...given, name, createTime: timestamp(world.now()) })));
    },
    'secretmanager.projects.secrets.get': (call, world) => shown(call, find(call, world, call.at('name'))),
    'secretmanager.projects.secrets.list': (call, world) => {
      const all = secrets(world)
        .list(`${call.at('parent')}/secrets/`)
        .filter(fits(call.query('filter')));
      const { entries, nextPageToken } = paged(call, all);
      return made({ secrets: entries.map((secret) => shown(call, secret)), totalSize: all.length, nextPageToken });
    },
    'secretmanager.projects.secrets.patch': (call, world) => {
      const before = find(call, world, call.at('name'));
      const mask = call.query('updateMask');
      if (mask === undefined || mask === '') throw invalid('The update mask is required.');
      unchanged(before, textAt(call.body, 'etag'));
      const after = { ...masked(before, call.body, mask), name: before['name'] ?? '' };
      return shown(call, secrets(world).set(call.at('name'), stamped(after)));
    },
    'secretmanager.projects.secrets.delete': (call, world) => {
      const name = call.at('name');
      unchanged(find(call, world, name), call.query('etag'));
      secrets(world).delete(name);
      versions(world).deleteBelow(`${name}/`);
      values(world).deleteBelow(`${name}/`);
      world.policies.delete(name);
      return {};
    },
    'secretmanager.projects.secrets.addVersion': (call, world) => {
      const secret = find(call, world, call.at('parent'));
      const data = textAt(call.body, 'payload.data');
      if (data === undefined || data === '') throw invalid('Secret Payload cannot be empty.');
      const bytes = Buffer.from(data, 'base64');
      if (bytes.length > MOST_BYTES) throw invalid(`The payload is larger than ${String(MOST_BYTES)} bytes.`);
      const said = at(call.body, 'payload.dataCrc32c');
      if (said !== undefined && said !== String(crc32c(bytes)))
        throw invalid('The checksum does not match the payload.');
      const number = Number(secret['lastVersion'] ?? 0) + 1;
      secrets(world).set(call.at('parent'), { ...secret, lastVersion: number });
      const name = `${call.at('parent')}/versions/${String(number)}`;
      const version = {
        name,
        createTime: timestamp(world.now()),
        state: 'ENABLED',
        replicationStatus: { automatic: {} },
        clientSpecifiedPayloadChecksum: said !== undefined,
      };
      values(world).set(name, { data });
      return shown(call, versions(world).set(name, stamped(version)));
    },
    'secretmanager.projects.secrets.versions.list': (call, world) => {
      find(call, world, call.at('parent'));
      const all = versions(world)
        .list(`${call.at('parent')}/versions/`)
        .filter(fits(call.query('filter')));
      const newestFirst = (version: JsonObject): string => String(1_000_000_000 - numberOf(version)).padStart(12, '0');
      const { entries, nextPageToken } = page(all, newestFirst, {
        size: call.query('pageSize'),
        token: call.query('pageToken'),
      });
      return made({ versions: entries.map((version) => shown(call, version)), totalSize: all.length, nextPageToken });
    },
    'secretmanager.projects.secrets.versions.get': (call, world) => shown(call, findVersion(call, world)),
    'secretmanager.projects.secrets.versions.access': (call, world) => {
      const version = findVersion(call, world);
      const name = textAt(version, 'name') ?? '';
      if (version['state'] !== 'ENABLED')
        throw badState(`Secret Version [${external(call, name)}] is in ${written(version['state'])} state.`);
      const data = textAt(values(world).get(name), 'data') ?? '';
      return {
        name: external(call, name),
        payload: { data, dataCrc32c: String(crc32c(Buffer.from(data, 'base64'))) },
      };
    },
    'secretmanager.projects.secrets.versions.enable': (call, world) => setState(call, world, 'ENABLED'),
    'secretmanager.projects.secrets.versions.disable': (call, world) => setState(call, world, 'DISABLED'),
    'secretmanager.projects.secrets.versions.destroy': (call, world) => setState(call, world, 'DESTROYED'),
    'secretmanager.projects.secrets.getIamPolicy': (call, world) => {
      find(call, world, call.at('resource'));
      return world.policies.get(call.at('resource'));
    },
    'secretmanager.projects.secrets.setIamPolicy': (call, world) => {
      find(call, world, call.at('resource'));
      return world.policies.set(call.at('resource'), objectAt(call.body, 'policy'));
    },
    'secretmanager.projects.secrets.testIamPermissions': (call) => ({ permissions: textsAt(call.body, 'permissions') }),
  },
};

/** The value of a secret's version (a number or `latest`) as whoever mounts it gets it; null when there is none. */
export function secretValue(world: World, secret: string, version: string): Buffer | null {
  const row = versions(world).get(`${secret}/versions/${resolved(world, secret, version)}`);
  if (row?.['state'] !== 'ENABLED') return null;
  return Buffer.from(textAt(values(world).get(textAt(row, 'name') ?? ''), 'data') ?? '', 'base64');
}

function find(call: Call, world: World, name: string): JsonObject {
  const secret = secrets(world).get(name);
  if (secret === undefined) throw notFound(`Secret [${external(call, name)}] not found.`);
  return secret;
}

function findVersion(call: Call, world: World): JsonObject {
  const [secret = '', version = ''] = call.at('name').split('/versions/');
  find(call, world, secret);
  const found = versions(world).get(`${secret}/versions/${resolved(world, secret, version)}`);
  if (found === undefined) throw notFound(`Secret Version [${external(call, call.at('name'))}] not found.`);
  return found;
}

/** `latest` is the newest version, whatever its state. */
function resolved(world: World, secret: string, version: string): string {
  return version === 'latest' ? written(secrets(world).get(secret)?.['lastVersion'] ?? 0) : version;
}

function setState(call: Call, world: World, state: string): JsonObject {
  const before = findVersion(call, world);
  const name = textAt(before, 'name') ?? '';
  if (before['state'] === 'DESTROYED') throw badState(`Secret Version [${external(call, name)}] is destroyed.`);
  unchanged(before, textAt(call.body, 'etag'));
  if (state === 'DESTROYED') values(world).delete(name);
  const destroyed = state === 'DESTROYED' ? { destroyTime: timestamp(world.now()) } : {};
  return shown(call, versions(world).set(name, stamped({ ...before, state, ...destroyed })));
}

/** Answers name the project by its number, whatever the question did. */
const external = (call: Call, name: string): string =>
  name.replace(/^projects\/[^/]+/, `projects/${call.project?.number ?? ''}`);

function shown(call: Call, row: JsonObject): JsonObject {
  const { lastVersion: _, ...rest } = row;
  return { ...rest, name: external(call, textAt(row, 'name') ?? '') };
}

function stamped(row: JsonObject): JsonObject {
  const { etag: _, ...rest } = row;
  return { ...rest, etag: `"${etagOf(rest)}"` };
}

function unchanged(row: JsonObject, etag: string | undefined): void {
  if (etag !== undefined && etag !== '' && etag !== row['etag'])
    throw badState(`The etag ${etag} does not match the resource's ${written(row['etag'])}.`);
}

const paged = (call: Call, all: JsonObject[]): ReturnType<typeof page<JsonObject>> =>
  page(
    all,
    (row) => textAt(row, 'name') ?? '',
    { size: call.query('pageSize'), token: call.query('pageToken') },
    { most: 25_000, usual: 25_000 },
  );

const numberOf = (version: JsonObject): number => Number(textAt(version, 'name')?.split('/').at(-1));

/** Of the filter language what is used: `name:x`, `labels.k=v`, `state:ENABLED`, joined by AND. */
function fits(filter: string | undefined): (row: JsonObject) => boolean {
  const terms = (filter ?? '').split(/\s+AND\s+/i).filter((term) => term.trim() !== '');
  const tests = terms.map((term) => {
    const [, field = '', operator, wanted = ''] = /^\s*([\w.-]+)\s*([:=])\s*"?([^"]*?)"?\s*$/.exec(term) ?? [];
    if (operator === undefined) throw invalid(`The filter '${term}' is not understood.`);
    return (row: JsonObject): boolean => {
      const found = field.startsWith('labels.')
        ? objectAt(row, 'labels')[field.slice('labels.'.length)]
        : at(row, field);
      if (operator === '=') return found === wanted;
      return typeof found === 'string' && found.includes(wanted);
    };
  });
  return (row) => tests.every((test) => test(row));
}
