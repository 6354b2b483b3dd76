import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { cloudbuild_v1 } from '@googleapis/cloudbuild';
import { buildBucketName } from '../../../../domain/cloud/names.ts';
import { ownLabels } from '../../../../domain/cloud/resource.ts';
import type { BuildEvents, BuiltImage, ImageBuilder, ImageRequest } from '../../../../ports/cloud-build.ts';
import { EvenkeelError } from '../../../../ports/errors.ts';
import { called, clientOptions } from '../../../../platform/google/http.ts';
import { GoogleRefusal } from '../../../../platform/google/refusal.ts';
import { pollPause } from '../../../../platform/google/retry.ts';
import { withExit2 } from '../exit.ts';
import type { Google } from '../google.ts';
import { ifThere, lastPart, unlessStatus } from '../kind-driver.ts';
import { nameTaken, ownBucket } from '../own-bucket.ts';
import { type Archive, packContext } from './archive.ts';
import { BuildLog } from './log.ts';

type Build = cloudbuild_v1.Schema$Build;

const RUNNING = new Set(['STATUS_UNKNOWN', 'PENDING', 'QUEUED', 'WORKING']);
/** Days that sources and logs of builds are kept. */
const KEPT_DAYS = 14;
const DEFAULT_LIMIT_MIN = 30;
const UPLOADS = 3;
/** ms between two looks at a log that people follow. */
const LONGEST_PAUSE = 3_000;
/** ms for ending a build that nobody wants any more. */
const LONGEST_END = 20_000;

/** Where sources and logs of builds lie, in the region of the rest. */
export const buildBucketOf = ({ scope }: Pick<Google, 'scope'>): string => buildBucketName(scope.cloudProject);

export const imageBuilder = (google: Google): ImageBuilder => ({
  async build(request, events, signal) {
    events.step('packing the sources');
    const archive = await packContext(request.context, request.dockerfile, signal, request.leaveOut);
    try {
      const source = await uploaded(google, archive, events, signal);
      const same = await buildsOf(google, request, archive, signal);
      const before = request.reuse === true ? await stillThere(google, request, same, signal) : null;
      if (before !== null) {
        events.line(`nothing is built: ${before.image} was built of the same sources`);
        return before;
      }
      const under = same.find(({ status }) => RUNNING.has(status ?? '')) ?? null;
      if (under !== null) events.step(`waiting for the build that is under way (${under.id ?? ''})`);
      const build = under ?? (await begin(google, request, { archive, source }, signal));
      return await followed(google, request, build, { events, signal, joined: under !== null });
    } finally {
      await rm(archive.file, { force: true });
    }
  },
});

/** Uploads the sources under their digest, unless they lie there already. */
async function uploaded(google: Google, archive: Archive, events: BuildEvents, signal: AbortSignal): Promise<string> {
  const bucket = buildBucketOf(google);
  const object = `source/${archive.digest}.tar.gz`;
  const client = await google.clients.storage();
  if ((await ownBucket(google, bucket, signal)) === null) await makeBucket(google, bucket, signal);
  const there = await ifThere(() => called(client.objects.get({ bucket, object }, { signal })));
  if (there !== null) return object;
  events.step(`uploading ${archive.files} files, ${Math.ceil(archive.bytes / 1024)} KiB`);
  for (let tries = 1; ; tries += 1) {
    const body = createReadStream(archive.file);
    try {
      const media = { mimeType: 'application/gzip', body };
      await called(client.objects.insert({ bucket, name: object, media }, { ...clientOptions(google.http), signal }));
      return object;
    } catch (error) {
      body.destroy();
      if (!(error instanceof EvenkeelError && error.retryable) || tries >= UPLOADS) throw error;
    }
  }
}

async function makeBucket(google: Google, name: string, signal: AbortSignal): Promise<void> {
  const client = await google.clients.storage();
  const requestBody = {
    name,
    location: google.scope.region,
    labels: { ...ownLabels(google.scope), 'evenkeel-role': 'builds' },
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
    lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: KEPT_DAYS } }] },
  };
  const made = await unlessStatus(409, () =>
    called(client.buckets.insert({ project: google.scope.cloudProject, requestBody }, { signal })),
  );
  // Another run of ours was quicker, or a stranger.
  if (made === null && (await ownBucket(google, name, signal)) === null) nameTaken(name);
}

const parentOf = ({ scope }: Google): string => `projects/${scope.cloudProject}/locations/${scope.region}`;
const sourceTag = ({ digest }: Archive): string => `source-${digest.slice(0, 32)}`;
/** Tags of builds know letters, digits, dots, dashes and underscores. */
const serviceTag = (service: string): string => `service-${service.replaceAll(/[^\w.-]/g, '-')}`;

/** Builds of the same sources for the same service, the newest first. */
async function buildsOf(
  google: Google,
  request: ImageRequest,
  archive: Archive,
  signal: AbortSignal,
): Promise<Build[]> {
  const client = await google.clients.cloudbuild();
  const filter = `tags="${sourceTag(archive)}"`;
  const page = await called(
    client.projects.locations.builds.list({ parent: parentOf(google), filter, pageSize: 20 }, { signal }),
  );
  return (page.builds ?? []).filter(
    ({ tags, images, steps }) =>
      tags?.includes(sourceTag(archive)) === true &&
      tags.includes(serviceTag(request.service)) &&
      // The same sources may hold several Dockerfiles.
      steps?.[0]?.args?.includes(archive.dockerfile) === true &&
      images?.includes(`${request.image}:latest`) === true,
  );
}

/** What a build has made, while its repository keeps it; null: that is not so, or nobody can tell. */
async function stillThere(
  google: Google,
  request: ImageRequest,
  builds: readonly Build[],
  signal: AbortSignal,
): Promise<BuiltImage | null> {
  const done = builds.find(({ status }) => status === 'SUCCESS');
  if (done === undefined) return null;
  const built = builtBy(done, request);
  if (built.digest === null) return null;
  return (await hasImage(google, `${request.image}@${built.digest}`, signal)) === true
    ? { ...built, reused: true }
    : null;
}

/** Whether an image by its digest, `…/NAME@sha256:…`, is in its repository; null: nobody can tell. */
export async function hasImage(google: Google, image: string, signal: AbortSignal): Promise<boolean | null> {
  const [, region, project = '', repository, name] = PLACE_OF_IMAGE.exec(image) ?? [];
  if (region === undefined) return null;
  const place = `projects/${project.replace('/', ':')}/locations/${region}/repositories/${repository}`;
  const url = `https://artifactregistry.googleapis.com/v1/${place}/dockerImages/${name}`;
  try {
    await google.http.request('GET', url, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof GoogleRefusal && error.status === 404 ? false : null;
  }
}

/** `REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@DIGEST`, where a project of a domain has a slash of its own. */
const PLACE_OF_IMAGE = /^([a-z0-9-]+)-docker\.pkg\.dev\/(.+)\/([^/]+)\/([^/]+@sha256:[^/]+)$/;

async function begin(
  google: Google,
  { service, image, tag, limitMin = DEFAULT_LIMIT_MIN }: ImageRequest,
  { archive, source }: { archive: Archive; source: string },
  signal: AbortSignal,
): Promise<Build> {
  const client = await google.clients.cloudbuild();
  const bucket = buildBucketOf(google);
  const images = [`${image}:${tag}`, `${image}:latest`];
  const requestBody: Build = {
    source: { storageSource: { bucket, object: source } },
    steps: [
      {
        name: 'gcr.io/cloud-builders/docker',
        args: ['build', ...images.flatMap((one) => ['-t', one]), '-f', archive.dockerfile, '.'],
      },
    ],
    images,
    tags: ['evenkeel', serviceTag(service), sourceTag(archive)],
    timeout: `${limitMin * 60}s`,
    logsBucket: `gs://${bucket}/logs`,
    options: { logging: 'GCS_ONLY' },
  };
  // Once: each is paid for.
  const options = { ...clientOptions(google.http), fetchImplementation: google.http.fetchOnce, signal };
  const operation = await called(
    client.projects.locations.builds.create({ parent: parentOf(google), requestBody }, options),
  );
  const { build } = (operation.metadata ?? {}) as { build?: Build };
  if (build?.id) return build;
  throw new EvenkeelError({
    code: 'cloud-build-failed',
    what: `Cloud Build took the build of ${service} without a word`,
    exit: 2,
  });
}

async function followed(
  google: Google,
  request: ImageRequest,
  build: Build,
  { events, signal, joined }: { events: BuildEvents; signal: AbortSignal; joined: boolean },
): Promise<BuiltImage> {
  const client = await google.clients.cloudbuild();
  const id = build.id ?? '';
  const [bucket = '', ...folder] = (build.logsBucket ?? `gs://${buildBucketOf(google)}/logs`)
    .replace('gs://', '')
    .split('/');
  const log = new BuildLog(google, { bucket, object: [...folder, `log-${id}.txt`].join('/') }, events.line);
  let now = build;
  try {
    for (let looks = 0; RUNNING.has(now.status ?? 'QUEUED'); looks += 1) {
      const pause = pollPause(looks, { first: google.http.pace * 2, random: Math.random() });
      await sleep(Math.min(LONGEST_PAUSE, pause), undefined, { signal });
      now = await called(
        client.projects.locations.builds.get({ name: `${parentOf(google)}/builds/${id}` }, { signal }),
      );
      await log.read(signal);
    }
    await log.finish(signal);
  } catch (error) {
    if (signal.aborted && request.unwanted?.aborted === true && !joined) await end(google, id);
    if (signal.aborted) throw leftBehind(request.service, id, signal.reason);
    throw error instanceof EvenkeelError ? withExit2(error) : error;
  }
  if (now.status !== 'SUCCESS') throw failed(request.service, now, log.end());
  return { ...builtBy(now, request), joined };
}

function builtBy({ id, images, results, logUrl }: Build, request: ImageRequest): BuiltImage {
  const tagged = images?.find((one) => !one.endsWith(':latest')) ?? `${request.image}:${request.tag}`;
  return {
    image: tagged,
    tags: (images ?? []).map((one) => one.split(':').at(-1) ?? ''),
    digest: results?.images?.find(({ name }) => name === tagged)?.digest ?? results?.images?.[0]?.digest ?? null,
    build: lastPart(id ?? ''),
    logUrl: logUrl ?? null,
    joined: false,
  };
}

/** At Google, too; one that cannot be reached now ends by its own limit. */
async function end(google: Google, id: string): Promise<void> {
  const client = await google.clients.cloudbuild();
  const name = `${parentOf(google)}/builds/${id}`;
  const signal = AbortSignal.timeout(LONGEST_END);
  await called(client.projects.locations.builds.cancel({ name, requestBody: { name } }, { signal })).catch(() => null);
}

function failed(
  service: string,
  { status, statusDetail, failureInfo, logUrl }: Build,
  end: readonly string[],
): EvenkeelError {
  const detail = statusDetail || failureInfo?.detail;
  return new EvenkeelError({
    code: 'cloud-build-failed',
    what: `the build of ${service} failed (${status ?? 'unknown'}${detail ? `: ${detail}` : ''}); nothing was deployed`,
    why: end.length === 0 ? 'it wrote no log' : `its log ends with\n${end.map((line) => `    ${line}`).join('\n')}`,
    next: logUrl ? `read the whole log at ${logUrl}, mend it, and build again` : 'mend it, and build again',
    exit: 2,
  });
}

const leftBehind = (service: string, id: string, reason: unknown): EvenkeelError =>
  reason instanceof EvenkeelError
    ? reason
    : new EvenkeelError({
        code: 'cloud-interrupted',
        what: `stopped while ${service} is being built; the build ${id} goes on at Google`,
        next: 'run the same again: it waits for that build, and pays for no other',
        retryable: true,
        exit: 2,
      });
