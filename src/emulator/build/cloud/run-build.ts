import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectBytes } from '../../apis/storage-objects.ts';
import { timestamp, type World } from '../../core/world.ts';
import type { BuildPlace } from '../building.ts';
import { BuildFailure, parseReference } from '../image.ts';
import { unpack } from '../unpack.ts';
import type { BuildLog } from './log.ts';
import type { Build, BuildStatus, Step } from './record.ts';
import { full, push, runStep, type Desk } from './steps.ts';

export interface BuildRun {
  world: World;
  place: BuildPlace;
  log: BuildLog;
  /** Aborted with the status in which the build ends then. */
  signal: AbortSignal;
  /** Called whenever there is news. */
  note: (change: Partial<Build>) => void;
}

/** Why the build is ended from outside. */
export class Ended extends Error {
  readonly status: BuildStatus;

  constructor(status: BuildStatus, message: string) {
    super(message);
    this.status = status;
  }
}

type Failure = Pick<Build, 'status' | 'statusDetail' | 'failureInfo'>;

/** Carries a build out from fetching its source to pushing its images; what became of it is in what is noted last. */
export async function runBuild(build: Build, run: BuildRun): Promise<void> {
  const { world, place, log, signal, note } = run;
  const time = () => timestamp(world.now());
  note({ status: 'WORKING', startTime: time() });
  log.line(`starting build "${build.id}"`);
  await mkdir(place.scratch, { recursive: true });
  const folder = await mkdtemp(join(place.scratch, 'cloud-build-'));
  const desk: Desk = { world, place, workspace: join(folder, 'workspace'), local: new Map(), signal };
  let end: Failure = { status: 'SUCCESS' };
  try {
    await fetchSource(build, desk, join(folder, 'source.tar.gz'), log);
    await runSteps(build, desk, run);
    const images = pushImages(build, desk, run);
    note({ results: { ...(images.length === 0 ? {} : { images }), buildStepImages: build.steps.map(() => '') } });
    log.line('DONE');
  } catch (error) {
    end = failureOf(error, signal);
    log.line(end.status === 'CANCELLED' ? 'CANCELLED' : 'ERROR');
    log.line(`ERROR: ${end.failureInfo?.detail ?? end.statusDetail ?? ''}`);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  await log.end();
  note({ ...end, finishTime: time() });
}

class Problem extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

function failureOf(error: unknown, signal: AbortSignal): Failure {
  const { reason } = signal as { reason: unknown };
  if (signal.aborted && reason instanceof Ended) return { status: reason.status, statusDetail: reason.message };
  if (error instanceof Problem)
    return { status: 'FAILURE', statusDetail: error.message, failureInfo: { type: error.type, detail: error.message } };
  return { status: 'INTERNAL_ERROR', statusDetail: (error as Error).message };
}

async function fetchSource(build: Build, desk: Desk, archive: string, log: BuildLog): Promise<void> {
  await mkdir(desk.workspace, { recursive: true });
  const { bucket, object } = build.source?.storageSource ?? {};
  if (bucket === undefined || object === undefined) {
    if (build.source !== undefined)
      throw new Problem('FETCH_SOURCE_FAILED', 'the emulator fetches sources from storage only');
    return;
  }
  log.line('FETCHSOURCE');
  log.line(`Fetching storage object: gs://${bucket}/${object}`);
  const bytes = await objectBytes(desk.world, bucket, object);
  if (bytes === undefined)
    throw new Problem('FETCH_SOURCE_FAILED', `failed to fetch source: object gs://${bucket}/${object} was not found`);
  await writeFile(archive, bytes);
  try {
    await unpack(archive, desk.workspace);
  } catch (error) {
    throw new Problem('FETCH_SOURCE_FAILED', (error as Error).message);
  }
  await rm(archive);
}

async function runSteps(build: Build, desk: Desk, { log, note, world, signal }: BuildRun): Promise<void> {
  log.line('BUILD');
  const steps: Step[] = structuredClone(build.steps);
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    const title = `Step #${index}${step.id === undefined ? '' : ` - "${step.id}"`}`;
    const startTime = timestamp(world.now());
    const over = (status: BuildStatus, exitCode: number | null) => {
      step.status = status;
      if (exitCode !== null) step.exitCode = exitCode;
      step.timing = { startTime, endTime: timestamp(world.now()) };
      note({ steps: structuredClone(steps) });
    };
    step.status = 'WORKING';
    note({ steps: structuredClone(steps) });
    log.line(`Starting ${title}`);
    try {
      await runStep(desk, step, (line) => log.line(line, title));
      over('SUCCESS', null);
      log.line(`Finished ${title}`);
    } catch (error) {
      if (signal.aborted || !(error instanceof BuildFailure)) {
        over(signal.aborted ? 'CANCELLED' : 'INTERNAL_ERROR', null);
        throw error;
      }
      log.line(error.message, title);
      over('FAILURE', error.exitCode);
      if (step.allowFailure === true) continue;
      const name = step.name ?? '';
      throw new Problem(
        'USER_BUILD_STEP',
        `build step ${index} "${name}" failed: step exited with non-zero status: ${error.exitCode}`,
      );
    }
  }
}

type Pushed = NonNullable<NonNullable<Build['results']>['images']>;

function pushImages(build: Build, desk: Desk, { log, world }: BuildRun): Pushed {
  const wanted = (build.images ?? []).flatMap((reference) => {
    // Without a tag all of that name are meant.
    const { name } = parseReference(reference);
    return full(reference) === reference
      ? [reference]
      : [...desk.local.keys()].filter((each) => parseReference(each).name === name);
  });
  if ((build.images ?? []).length > 0) log.line('PUSH');
  if (wanted.length < (build.images ?? []).length)
    throw new Problem(
      'PUSH_IMAGE_NOT_FOUND',
      `failed to find one or more images after execution of build steps: ${JSON.stringify(build.images)}`,
    );
  return wanted.map((reference) => {
    if (!desk.local.has(full(reference)))
      throw new Problem(
        'PUSH_IMAGE_NOT_FOUND',
        `failed to find one or more images after execution of build steps: ["${reference}"]`,
      );
    const startTime = timestamp(world.now());
    log.line(`Pushing ${reference}`);
    try {
      const pushed = push(desk, reference, (line) => log.line(line));
      return { ...pushed, pushTiming: { startTime, endTime: timestamp(world.now()) } };
    } catch (error) {
      if (error instanceof BuildFailure)
        throw new Problem('PUSH_FAILED', `error pushing image "${reference}": ${error.message}`);
      throw error;
    }
  });
}
