import type { Api, Call, Handler } from '../core/api.ts';
import { alreadyExists, GoogleError, invalid, notFound } from '../core/google-error.ts';
import { masked } from '../core/masks.ts';
import { render } from '../core/operations.ts';
import { page } from '../core/pages.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, textsAt, type JsonObject } from '../json.ts';
import { changed, type Changed, type Wanted } from './change.ts';
import { beginDeploy, serviceAny } from './deploy.ts';
import type { Engine } from './engine.ts';
import { parentName, placeOf, shortName } from './names.ts';
import { asJson } from './rows.ts';
import type { Service } from './shapes.ts';

export const SERVICES = 'run.projects.locations.services';

/** Fields that a caller may change. */
const WANTED = [
  'description',
  'labels',
  'annotations',
  'client',
  'clientVersion',
  'ingress',
  'launchStage',
  'template',
  'traffic',
  'scaling',
  'invokerIamDisabled',
  'defaultUriDisabled',
] as const;

export function servicesV2(engine: () => Engine): Api['handlers'] {
  const handlers: Record<string, (call: Call, engine: Engine) => JsonObject | Promise<JsonObject>> = {
    create: (call, engine) => {
      const id = call.query('serviceId') ?? '';
      if (id === '') throw invalid('service_id: must not be empty.');
      return create(call, engine, `${call.at('parent')}/services/${id}`);
    },
    get: (call, engine) => asJson(findService(engine, call.at('name'))),
    list: (call, engine) => {
      const prefix = call.at('parent').replace(/\/locations\/-$/, '/');
      const all = engine.tables.services.list(`${prefix}${prefix.endsWith('/') ? 'locations/' : '/services/'}`);
      const { entries, nextPageToken } = page(all, ({ name }) => name, sizes(call));
      return made({ services: entries.map(asJson), nextPageToken });
    },
    patch: (call, engine) => patch(call, engine),
    delete: async (call, engine) => {
      const service = findService(engine, call.at('name'));
      checkEtag(service, call.query('etag'));
      if (call.query('validateOnly') !== 'true') removeService(engine, service);
      return done(engine, service);
    },
    getIamPolicy: (call, { world, tables }) => {
      if (!tables.services.has(call.at('resource'))) throw missing(call.at('resource'));
      return world.policies.get(call.at('resource'));
    },
    setIamPolicy: (call, { world, tables }) => {
      if (!tables.services.has(call.at('resource'))) throw missing(call.at('resource'));
      return world.policies.set(call.at('resource'), objectAt(call.body, 'policy'));
    },
    testIamPermissions: (call) => ({ permissions: textsAt(call.body, 'permissions') }),
  };
  const bound = Object.entries(handlers).map(([method, handle]): [string, Handler] => [
    `${SERVICES}.${method}`,
    (call: Call, _world: World) => handle(call, engine()),
  ]);
  return Object.fromEntries(bound);
}

export const sizes = (call: Call) => ({ size: call.query('pageSize'), token: call.query('pageToken') });

export function findService(engine: Engine, name: string): Service {
  const found = engine.tables.services.get(name);
  if (found === undefined) throw missing(name);
  return found;
}

const missing = (name: string): GoogleError =>
  notFound(
    `Resource '${shortName(name)}' of kind 'SERVICE' in region '${placeOf(name).region}' in project '${placeOf(name).project}' does not exist.`,
  );

export function removeService(engine: Engine, service: Service): void {
  engine.tables.services.delete(service.name);
  for (const revision of engine.tables.revisions.list(`${service.name}/revisions/`)) {
    engine.tables.revisions.delete(revision.name);
    engine.drop(revision.name);
  }
  engine.world.policies.delete(service.name);
}

export const checkEtag = (row: { name: string; etag: string }, etag: string | undefined): void => {
  if (etag === undefined || etag === '' || etag === row.etag) return;
  throw new GoogleError(
    'ABORTED',
    `Conflict for resource '${shortName(row.name)}': version '${etag}' was specified but current version is '${row.etag}'.`,
  );
};

function wantedOf(body: JsonObject): Wanted {
  const entries = WANTED.flatMap((field) => (body[field] === undefined ? [] : [[field, body[field]] as const]));
  const wanted = Object.fromEntries(entries) as unknown as Partial<Wanted>;
  const { template = {}, traffic } = wanted;
  return {
    ...wanted,
    template: withoutEmpty(template, 'revision'),
    ...(traffic === undefined ? {} : { traffic: traffic.map((each) => withoutEmpty(each, 'revision', 'tag')) }),
  };
}

/** In protocol buffers an empty text is one that was not said; libraries send every field of what they have read. */
function withoutEmpty<T extends object>(row: T, ...fields: (keyof T)[]): T {
  const result = { ...row };
  for (const field of fields) if (result[field] === '') delete result[field];
  return result;
}

function create(call: Call, engine: Engine, name: string): Promise<JsonObject> {
  if (engine.tables.services.has(name)) throw alreadyExists(`Resource '${shortName(name)}' already exists.`);
  return store(call, engine, changed(engine, name, undefined, wantedOf(call.body), { caller: call.caller.email }));
}

function patch(call: Call, engine: Engine): Promise<JsonObject> {
  const name = call.at('name');
  const before = engine.tables.services.get(name);
  if (before === undefined) {
    if (call.query('allowMissing') === 'true') return create(call, engine, name);
    throw missing(name);
  }
  checkEtag(before, textAt(call.body, 'etag'));
  const mask = call.query('updateMask');
  const body = mask === undefined || mask === '' ? call.body : masked(asJson(before), call.body, mask);
  const wanted = wantedOf(body);
  const force = call.query('forceNewRevision') === 'true';
  return store(call, engine, changed(engine, name, before, wanted, { caller: call.caller.email, force }));
}

async function store(call: Call, engine: Engine, { service, revision }: Changed): Promise<JsonObject> {
  if (call.query('validateOnly') === 'true') return done(engine, service);
  if (revision !== null) engine.tables.revisions.set(revision.name, revision);
  engine.tables.services.set(service.name, service);
  return render(await beginDeploy(engine, service, revision === null ? null : shortName(revision.name)));
}

/** An operation that is over when it is answered. */
async function done(engine: Engine, service: Service): Promise<JsonObject> {
  const response = serviceAny(service);
  const name = `${parentName(placeOf(service.name))}/operations/{id}`;
  return render(await engine.world.operations.start({ api: 'run', name, takes: 0, metadata: response, response }));
}
