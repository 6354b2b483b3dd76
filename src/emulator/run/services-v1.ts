import type { Api, Call, Handler } from '../core/api.ts';
import { alreadyExists, GoogleError, invalid, notFound } from '../core/google-error.ts';
import { page } from '../core/pages.ts';
import { made, objectAt, textAt, textsAt, type Json, type JsonObject } from '../json.ts';
import { changed, type Changed, type Wanted } from './change.ts';
import { beginDeploy } from './deploy.ts';
import type { Engine } from './engine.ts';
import { plainKeys, present, templateFromV1, type V1Template } from './knative-template.ts';
import {
  configurationToV1,
  INGRESS,
  revisionToV1,
  routeToV1,
  serviceToV1,
  targetFromV1,
  versionOf,
  type V1Target,
} from './knative-view.ts';
import { parentName, placeOf, shortName } from './names.ts';
import { removeRevision } from './revisions-v2.ts';
import { removeService } from './services-v2.ts';
import type { Revision, Service } from './shapes.ts';

const RUN = 'run.googleapis.com';

/** Both spellings of v1's names: by namespace (the region is in the host), and by project and location. */
const ROOTS = ['run.namespaces', 'run.projects.locations'];

type Handle = (call: Call, engine: Engine) => JsonObject | Promise<JsonObject>;

export function servicesV1(engine: () => Engine): Api['handlers'] {
  const views: Record<string, (engine: Engine, service: Service) => JsonObject> = {
    services: serviceToV1,
    routes: routeToV1,
    configurations: configurationToV1,
  };
  const handlers: Record<string, Handle> = {
    'services.create': create,
    'services.replaceService': replace,
    'services.delete': (call, engine) => {
      const service = find(call, engine);
      if (call.query('dryRun') !== 'all') removeService(engine, service);
      return { status: 'Success', details: { name: shortName(service.name), kind: 'services', uid: service.uid } };
    },
    'revisions.get': (call, engine) => revisionToV1(engine, findRevision(call, engine)),
    'revisions.list': (call, engine) => list(call, engine, 'RevisionList', revisions(call, engine), revisionToV1),
    'revisions.delete': (call, engine) => {
      const revision = findRevision(call, engine);
      removeRevision(engine, revision);
      return { status: 'Success', details: { name: shortName(revision.name), kind: 'revisions', uid: revision.uid } };
    },
  };
  for (const [collection, view] of Object.entries(views)) {
    const kind = `${collection.charAt(0).toUpperCase()}${collection.slice(1, -1)}List`;
    handlers[`${collection}.get`] = (call, engine) => view(engine, find(call, engine));
    handlers[`${collection}.list`] = (call, engine) => list(call, engine, kind, services(call, engine), view);
  }
  const bound = ROOTS.flatMap((root) =>
    Object.entries(handlers).map(([method, handle]): [string, Handler] => [
      `${root}.${method}`,
      (call) => handle(call, engine()),
    ]),
  );
  return { ...Object.fromEntries(bound), ...policies(engine) };
}

/** Policies have the long names alone. */
function policies(engine: () => Engine): Api['handlers'] {
  const root = 'run.projects.locations.services';
  const named = (call: Call) => {
    const name = call.at('resource');
    if (!engine().tables.services.has(name)) throw missing(name, 'services');
    return name;
  };
  return {
    [`${root}.getIamPolicy`]: (call, world) => world.policies.get(named(call)),
    [`${root}.setIamPolicy`]: (call, world) => world.policies.set(named(call), objectAt(call.body, 'policy')),
    [`${root}.testIamPermissions`]: (call) => ({ permissions: textsAt(call.body, 'permissions') }),
  };
}

/** The region that a call is about: of its name, else of the host it was sent to; null for the global one. */
function regionOf(call: Call, name: string): string | null {
  const [, located] = /\/locations\/([^/]+)/.exec(name) ?? [];
  if (located !== undefined) return located === '-' ? null : located;
  const [, host] = /\/\/(?:[^/]+\/)?([a-z]+-[a-z]+\d+)-run\.googleapis\.com/.exec(call.origin) ?? [];
  return host ?? null;
}

function prefixOf(call: Call, engine: Engine, name: string): string {
  const [, named = ''] = /^(?:namespaces|projects)\/([^/]+)/.exec(name) ?? [];
  const { id } = engine.world.projects.find(named);
  const region = regionOf(call, name);
  return region === null ? `projects/${id}/locations/` : `${parentName({ project: id, region })}/`;
}

const missing = (name: string, kind: string): GoogleError =>
  notFound(`${kind.replace(/s$/, '')} '${shortName(name)}' was not found.`);

function find(call: Call, engine: Engine): Service {
  const name = call.at('name');
  const found = engine.tables.services
    .list(prefixOf(call, engine, name))
    .find((service) => shortName(service.name) === shortName(name));
  if (found === undefined) throw missing(name, 'services');
  return found;
}

function findRevision(call: Call, engine: Engine): Revision {
  const name = call.at('name');
  const found = engine.tables.revisions
    .list(prefixOf(call, engine, name))
    .find((each) => shortName(each.name) === shortName(name));
  if (found === undefined) throw missing(name, 'revisions');
  return found;
}

const services = (call: Call, engine: Engine): Service[] =>
  engine.tables.services.list(prefixOf(call, engine, call.at('parent')));

const revisions = (call: Call, engine: Engine): Revision[] =>
  engine.tables.revisions
    .list(prefixOf(call, engine, call.at('parent')))
    .toSorted((a, b) => Date.parse(b.createTime) - Date.parse(a.createTime));

function list<T extends Service | Revision>(
  call: Call,
  engine: Engine,
  kind: string,
  all: T[],
  view: (engine: Engine, row: T) => JsonObject,
): JsonObject {
  const fits = selected(call.query('labelSelector'));
  const shown = all.map((row) => view(engine, row)).filter((row) => fits(objectAt(row, 'metadata.labels')));
  const ordered = shown.map((row, index) => ({ row, key: String(index).padStart(8, '0') }));
  const query = { size: call.query('limit'), token: call.query('continue') };
  const { entries, nextPageToken } = page(ordered, ({ key }) => key, query);
  return made({
    apiVersion: 'serving.knative.dev/v1',
    kind,
    items: entries.map(({ row }) => row),
    metadata: made({ continue: nextPageToken }),
  });
}

/** `a=b,c!=d,e` */
function selected(selector: string | undefined): (labels: JsonObject) => boolean {
  const terms = (selector ?? '')
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '');
  return (labels) =>
    terms.every((term) => {
      const [, key = '', operator, value] = /^([^!=\s]+)\s*(!=|==?)?\s*(.*)$/.exec(term) ?? [];
      if (operator === undefined) return labels[key] !== undefined;
      return (labels[key] === value) === (operator !== '!=');
    });
}

function wantedOf(body: JsonObject): Wanted {
  const annotations = objectAt(body, 'metadata.annotations') as Record<string, string>;
  const number = (key: string) => (annotations[key] === undefined ? undefined : Number(annotations[key]));
  const ingress = Object.entries(INGRESS).find(([, said]) => said === annotations[`${RUN}/ingress`])?.[0];
  const scaling = { minInstanceCount: number(`${RUN}/minScale`), maxInstanceCount: number(`${RUN}/maxScale`) };
  const spec = objectAt(body, 'spec') as { template?: Json; traffic?: Json };
  return present({
    labels: plainKeys(objectAt(body, 'metadata.labels') as Record<string, string>),
    annotations: plainKeys(annotations),
    description: annotations[`${RUN}/description`],
    client: annotations[`${RUN}/client-name`],
    clientVersion: annotations[`${RUN}/client-version`],
    invokerIamDisabled: annotations[`${RUN}/invoker-iam-disabled`] === 'true' ? true : undefined,
    scaling: Object.values(scaling).some((value) => value !== undefined) ? scaling : undefined,
    ingress,
    template: templateFromV1((spec.template ?? {}) as unknown as V1Template),
    traffic: (spec.traffic as unknown as V1Target[] | undefined)?.map(targetFromV1),
  } as unknown as Wanted);
}

async function create(call: Call, engine: Engine): Promise<JsonObject> {
  const parent = call.at('parent');
  const named = textAt(call.body, 'metadata.name') ?? '';
  const [, project = ''] = /^(?:namespaces|projects)\/([^/]+)/.exec(parent) ?? [];
  checkNamespace(call, engine, project);
  const region =
    regionOf(call, parent) ?? textAt(objectAt(call.body, 'metadata.labels'), 'cloud.googleapis.com/location');
  if (region === undefined)
    throw invalid('A service is made at a regional endpoint, such as us-central1-run.googleapis.com.');
  const name = `${parentName({ project: engine.world.projects.find(project).id, region })}/services/${named}`;
  if (engine.tables.services.has(name)) throw alreadyExists(`Resource '${named}' already exists.`);
  return store(call, engine, changed(engine, name, undefined, wantedOf(call.body), { caller: call.caller.email }));
}

async function replace(call: Call, engine: Engine): Promise<JsonObject> {
  const before = find(call, engine);
  checkNamespace(call, engine, placeOf(before.name).project);
  const named = textAt(call.body, 'metadata.name');
  if (named !== undefined && named !== shortName(before.name))
    throw invalid(`metadata.name: '${named}' is not the name in the path, '${shortName(before.name)}'.`);
  const version = textAt(call.body, 'metadata.resourceVersion');
  if (version !== undefined && version !== '' && version !== versionOf(before))
    throw new GoogleError(
      'ABORTED',
      `Conflict for resource '${shortName(before.name)}': version '${version}' was specified but current version is '${versionOf(before)}'.`,
    );
  return store(call, engine, changed(engine, before.name, before, wantedOf(call.body), { caller: call.caller.email }));
}

function checkNamespace(call: Call, engine: Engine, project: string): void {
  const namespace = textAt(call.body, 'metadata.namespace');
  if (namespace === undefined) return;
  const { id, number } = engine.world.projects.find(project);
  if (namespace !== id && namespace !== number)
    throw invalid(`metadata.namespace: '${namespace}' is not the project in the path.`);
}

async function store(call: Call, engine: Engine, { service, revision }: Changed): Promise<JsonObject> {
  if (call.query('dryRun') === 'all') return serviceToV1(engine, service);
  if (revision !== null) engine.tables.revisions.set(revision.name, revision);
  engine.tables.services.set(service.name, service);
  await beginDeploy(engine, service, revision === null ? null : shortName(revision.name));
  return serviceToV1(engine, engine.tables.services.get(service.name) ?? service);
}
