import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Api, Call } from '../../core/api.ts';
import { badState, GoogleError, notFound } from '../../core/google-error.ts';
import { render } from '../../core/operations.ts';
import { page } from '../../core/pages.ts';
import { timestamp, type World } from '../../core/world.ts';
import { isObject, made, textAt, type JsonObject } from '../../json.ts';
import type { SharedWorkshop } from '../workshop.ts';
import { BuildLog } from './log.ts';
import { buildFrom, defaultLogsBucket, fitsFilter, newBuild, type Build } from './record.ts';
import { Ended, runBuild } from './run-build.ts';

/** Builds under way at once; further ones wait as QUEUED. */
const AT_ONCE = 2;

/** Builds by `<project>/<id>`, with the location and operation beside what is shown. */
const rows = (world: World) => world.state.table('cloudbuild.builds');

const TYPE = 'type.googleapis.com/google.devtools.cloudbuild.v1';

/** Cloud Build: builds images from sources in storage, on this machine and without Docker. */
export function cloudBuild(workshop: SharedWorkshop): Api {
  const running = new Map<string, { cancel: AbortController; over: Promise<void> }>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  const run = (world: World, key: string): void => {
    const cancel = new AbortController();
    const turn = async () => {
      if (busy >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
      busy += 1;
      try {
        await carryOut(world, workshop, key, cancel.signal);
      } finally {
        busy -= 1;
        waiting.shift()?.();
        running.delete(key);
      }
    };
    running.set(key, { cancel, over: turn().catch(() => {}) });
  };

  const create = async (call: Call, world: World): Promise<JsonObject> => {
    if (call.project === null) throw notFound('The project is not named.');
    const id = randomUUID();
    const location = /\/locations\/([^/]+)/.exec(call.at('parent'))?.[1] ?? 'global';
    const now = timestamp(world.now());
    const build = newBuild(world, call.body, { project: call.project, location, id, now });
    ensureLogsBucket(world, build, call.project);
    const operation = await world.operations.start({
      api: 'cloudbuild',
      name: operationName(call.project.id, location, id),
      takes: 0,
      open: true,
      metadata: metadata(build),
    });
    const key = `${call.project.id}/${id}`;
    save(world, key, { build, location, operation: textAt(operation, 'name') ?? '' });
    const planned = isObject(operation['failure']) ? textAt(operation['failure'], 'message') : undefined;
    if (planned === undefined) run(world, key);
    else fail(world, key, planned);
    return render(operation);
  };

  const cancel = async (call: Call, world: World): Promise<JsonObject> => {
    const key = keyOf(call);
    const { build } = load(world, key);
    if (build.finishTime !== undefined)
      throw badState(`Build ${build.id} is not active, but in status ${build.status}.`);
    const under = running.get(key);
    under?.cancel.abort(new Ended('CANCELLED', 'the build was cancelled'));
    if (build.status === 'WORKING') await under?.over;
    return asJson(load(world, key).build);
  };

  const list = (call: Call, world: World): JsonObject => {
    const location = /\/locations\/([^/]+)/.exec(call.at('parent'))?.[1];
    const fits = fitsFilter(call.query('filter'));
    const all = rows(world)
      .list(`${call.project?.id ?? ''}/`)
      .map(recordFrom)
      .filter((record) => (location === undefined || record.location === location) && fits(record.build));
    const newestFirst = ({ build }: Kept) => `${9e15 - Date.parse(build.createTime)} ${build.id}`;
    const query = { size: call.query('pageSize'), token: call.query('pageToken') };
    const { entries, nextPageToken } = page(all, newestFirst, query);
    return made({ builds: entries.map(({ build }) => asJson(build)), nextPageToken });
  };

  const get = (call: Call, world: World): JsonObject => asJson(load(world, keyOf(call)).build);
  const operation = (call: Call, world: World): JsonObject => render(world.operations.get(call.at('name')));

  return {
    document: 'cloudbuild.v1',
    handlers: {
      'cloudbuild.projects.builds.create': create,
      'cloudbuild.projects.builds.get': get,
      'cloudbuild.projects.builds.list': list,
      'cloudbuild.projects.builds.cancel': cancel,
      'cloudbuild.projects.locations.builds.create': create,
      'cloudbuild.projects.locations.builds.get': get,
      'cloudbuild.projects.locations.builds.list': list,
      'cloudbuild.projects.locations.builds.cancel': cancel,
      'cloudbuild.operations.get': operation,
      'cloudbuild.projects.locations.operations.get': operation,
    },
    install: async (world) => {
      await workshop.enter(world);
      // What a former emulator did not finish is begun anew.
      for (const row of rows(world).list()) {
        const { build } = recordFrom(row);
        if (build.finishTime === undefined) run(world, `${build.projectId}/${build.id}`);
      }
    },
    stop: async () => {
      for (const { cancel } of running.values()) cancel.abort(new Stopping());
      for (const resolve of waiting.splice(0)) resolve();
      await Promise.all([...running.values()].map(({ over }) => over));
      await workshop.leave();
    },
  };
}

/** The emulator ends; the build goes on with the next one. */
class Stopping extends Error {}

interface Kept {
  build: Build;
  location: string;
  operation: string;
}

const recordFrom = (row: JsonObject): Kept => ({
  build: buildFrom(isObject(row['build']) ? row['build'] : {}),
  location: textAt(row, 'location') ?? 'global',
  operation: textAt(row, 'operation') ?? '',
});

function load(world: World, key: string): Kept {
  const row = rows(world).get(key);
  if (row === undefined) throw notFound('Requested entity was not found.');
  return recordFrom(row);
}

const save = (world: World, key: string, { build, ...rest }: Kept): void => {
  rows(world).set(key, { ...rest, build: asJson(build) });
};

const asJson = (build: Build): JsonObject => JSON.parse(JSON.stringify(build)) as JsonObject;

const metadata = (build: Build): JsonObject => ({ '@type': `${TYPE}.BuildOperationMetadata`, build: asJson(build) });

/** Of a `name`, or of project and id as the older paths have them. */
function keyOf(call: Call): string {
  const [, id] = /\/builds\/([^/:]+)/.exec(call.at('name')) ?? [];
  return `${call.project?.id ?? ''}/${id ?? call.at('id')}`;
}

const operationName = (project: string, location: string, id: string): string =>
  location === 'global'
    ? `operations/build/${project}/${Buffer.from(id).toString('base64').replaceAll('=', '')}`
    : `projects/${project}/locations/${location}/operations/${id}`;

async function carryOut(world: World, workshop: SharedWorkshop, key: string, signal: AbortSignal): Promise<void> {
  if (signal.reason instanceof Stopping) return;
  const shop = await workshop.open(world);
  const note = (change: Partial<Build>) => {
    if (signal.reason instanceof Stopping) return;
    const record = load(world, key);
    const build = { ...record.build, ...change };
    save(world, key, { ...record, build });
    finishOperation(world, record.operation, build);
  };
  const { build } = load(world, key);
  const timeout = AbortSignal.timeout(Math.max(1, Number.parseFloat(build.timeout) * 1000));
  const whole = new AbortController();
  const end = (reason: unknown) => whole.abort(reason);
  signal.addEventListener('abort', () => end(signal.reason), { once: true });
  timeout.addEventListener('abort', () => end(new Ended('TIMEOUT', 'the build took longer than its timeout')), {
    once: true,
  });
  if (signal.aborted) end(signal.reason);
  const place = { store: shop.images, scratch: join(shop.folder, 'scratch'), ...shop, now: world.now };
  await runBuild(build, { world, place, log: new BuildLog(world, build), signal: whole.signal, note });
  await shop.images.settled();
  await world.state.flush();
}

function finishOperation(world: World, operation: string, build: Build): void {
  if (world.operations.find(operation)?.['done'] !== false) return;
  if (build.finishTime === undefined) world.operations.note(operation, metadata(build));
  else if (build.status === 'SUCCESS')
    world.operations.finish(operation, { response: { '@type': `${TYPE}.Build`, ...asJson(build) } }, metadata(build));
  else {
    const message =
      build.status === 'CANCELLED'
        ? 'Build was cancelled.'
        : `Build failed (${build.status}); check build logs for details`;
    const error = new GoogleError(build.status === 'CANCELLED' ? 'ABORTED' : 'FAILED_PRECONDITION', message);
    world.operations.finish(operation, { error }, metadata(build));
  }
}

/** A planned fault: the operation ends without anything having been built. */
function fail(world: World, key: string, message: string): void {
  const record = load(world, key);
  const finishTime = timestamp(world.now());
  const build: Build = { ...record.build, status: 'INTERNAL_ERROR', statusDetail: message, finishTime };
  save(world, key, { ...record, build });
  finishOperation(world, record.operation, build);
}

/** The bucket that Cloud Build itself keeps logs in; one that the caller named has to be there. */
function ensureLogsBucket(world: World, { logsBucket }: Build, project: Parameters<typeof defaultLogsBucket>[0]): void {
  if (logsBucket === undefined) return;
  const name = logsBucket.replace(/^gs:\/\//, '').split('/')[0] ?? '';
  const buckets = world.state.table('storage.buckets');
  if (buckets.has(name)) return;
  if (name !== defaultLogsBucket(project)) throw notFound(`the logs bucket ${name} does not exist`);
  const now = timestamp(world.now());
  buckets.set(name, {
    kind: 'storage#bucket',
    id: name,
    name,
    // Google's own, so that nobody finds it among their project's.
    projectNumber: '0',
    metageneration: '1',
    location: 'US',
    locationType: 'multi-region',
    storageClass: 'STANDARD',
    timeCreated: now,
    updated: now,
    etag: 'CAE=',
  });
}
