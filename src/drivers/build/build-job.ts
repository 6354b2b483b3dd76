import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import type { JobObservation } from '../../ports/runtime.ts';
import { appendNotes, logSize, logTail } from './build-log.ts';
import type { BuildRecord } from './build-record.ts';
import { tooFull } from './disk-guard.ts';
import { buildFailed, Cancelled } from './failure.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import { copyTree } from './tree.ts';
import type { Workshop } from './workshop.ts';

/** A command whose end nobody knows (the machine went down with it) is begun again, so many times in all. */
const MOST_ATTEMPTS = 3;
const START_TRIES = 3;
const CANCEL_GRACE_MS = 5_000;

export interface JobRun {
  record: BuildRecord;
  /** Null after a crash: nothing can be started then, only found again. */
  env: Record<string, string> | null;
  /** Values that no message may show. */
  hidden: readonly string[];
  signal: AbortSignal;
  say: (detail: string) => void;
}

/**
 * Runs a build's command in a working copy of its clean copy, or finds the one that a former controller started.
 * `done` when it ended well; `stranded` when it has to be started and nobody has said with which environment.
 */
export async function runBuildJob(shop: Workshop, run: JobRun): Promise<'done' | 'stranded'> {
  const { record } = run;
  for (let attempt = Math.max(1, record.attempt); attempt <= MOST_ATTEMPTS; attempt++) {
    const id = jobId(record.id, attempt);
    if ((await shop.jobs.observe(id)).state === 'absent') {
      if (run.env === null) return 'stranded';
      if (attempt > 1)
        await appendNotes(record.log, ['the end of the build is not known; it begins again from the same clean copy']);
      await prepareWork(shop, record.id);
      record.attempt = attempt;
      record.logStart = await logSize(record.log);
      await shop.records.write(record);
      await start(shop, run, id, run.env);
    }
    const end = await waitForEnd(shop, run, id);
    if (end.state !== 'ended') continue;
    if (end.cancelled || run.signal.aborted) throw new Cancelled();
    if (end.exit === 0) return 'done';
    throw await failure(shop, run, end);
  }
  throw buildFailed(
    `\`${record.service.build}\` died ${MOST_ATTEMPTS} times without a recorded end.`,
    'Look at the memory and the log of the machine.',
  );
}

/** The names of all jobs that a build may have had. */
export function jobIds(id: string): string[] {
  return Array.from({ length: MOST_ATTEMPTS }, (_, i) => jobId(id, i + 1));
}

export async function readSourceManifest(shop: Workshop, id: string): Promise<Manifest | null> {
  const text = await readFile(shop.records.sourceManifest(id), 'utf8').catch(() => '');
  const digest = text.slice(0, 64);
  return parseManifest(text.slice(65), digest);
}

/** A job of one name runs once at most, ever. */
function jobId(id: string, attempt: number): string {
  return attempt === 1 ? id : `${id}.again${attempt - 1}`;
}

/** What the last attempt left is not what a build begins with. */
async function prepareWork(shop: Workshop, id: string): Promise<void> {
  const manifest = await readSourceManifest(shop, id);
  if (manifest === null) throw buildFailed('The clean copy of the source is damaged.', 'Deploy again.');
  await shop.records.dropWork(id);
  const temporary = shop.objects.temporaryPath();
  await copyTree(manifest, temporary, shop.objects);
  await rename(temporary, shop.records.work(id));
}

async function start(shop: Workshop, run: JobRun, id: string, env: Record<string, string>): Promise<void> {
  const { project, environment, service, log } = run.record;
  const work = shop.records.work(run.record.id);
  // What one project's builds leave in a cache, another's would run.
  const cache =
    service.user === null
      ? shop.packageCache
      : join(shop.packageCache, 'of', `${project}.${environment}.${service.name}`);
  if (service.user !== null) await mkdir(cache, { recursive: true, mode: 0o700 });
  const spec = {
    id,
    project,
    environment,
    command: service.build ?? 'true',
    cwd: join(work, service.dir),
    env: { ...buildEnvironment(cache), ...env },
    log,
    // A build needs more than what it builds.
    resources: { memory: null, cpu: null },
    ...(service.user === null ? {} : { runAs: { user: service.user, service: service.name }, own: [work, cache] }),
  };
  for (let tries = 1; ; tries++) {
    try {
      return await shop.jobs.start(spec);
    } catch (error) {
      if (!(error instanceof EvenkeelError && error.retryable) || tries === START_TRIES || run.signal.aborted)
        throw error;
      await sleep(500 * tries);
    }
  }
}

function buildEnvironment(packageCache: string): Record<string, string> {
  return {
    CI: 'true',
    npm_config_cache: join(packageCache, 'npm'),
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    YARN_CACHE_FOLDER: join(packageCache, 'yarn'),
  };
}

async function waitForEnd(
  shop: Workshop,
  run: JobRun,
  id: string,
): Promise<Extract<JobObservation, { state: 'ended' | 'unknown' }>> {
  let cancelled = false;
  let full: EvenkeelError | null = null;
  for (;;) {
    full ??= await tooFull({ ...shop, reserve: shop.reserve / 2 });
    if ((run.signal.aborted || full !== null) && !cancelled) {
      cancelled = true;
      await shop.jobs.cancel(id, { graceMs: CANCEL_GRACE_MS });
    }
    const seen = await shop.jobs.observe(id);
    if (full !== null && seen.state !== 'running' && !run.signal.aborted) throw full;
    if (seen.state === 'ended' || seen.state === 'unknown') return seen;
    if (seen.state === 'absent') return { state: 'unknown', reason: 'it was forgotten' };
    run.say(`\`${run.record.service.build}\` runs${seen.pid === 0 ? '' : ` (pid ${seen.pid})`}`);
    // Unreferenced: a controller that leaves does not wait for a build, the next one finds it.
    await sleep(shop.pollMs, undefined, { ref: false, ...(cancelled ? {} : { signal: run.signal }) }).catch(
      () => undefined,
    );
  }
}

async function failure(
  shop: Workshop,
  run: JobRun,
  end: Extract<JobObservation, { state: 'ended' }>,
): Promise<EvenkeelError> {
  const { service, log, logStart } = run.record;
  const how = end.signal === null ? `exit code ${end.exit}` : `signal ${end.signal}`;
  let tail = await logTail(log, logStart);
  // What it was given, as long as that is known, and whatever is stored: a build outlives the controller that knew.
  for (const value of run.hidden) tail = tail.replaceAll(value, '•••');
  tail = await shop.redact(tail);
  return buildFailed(
    `\`${service.build}\` ended with ${how}${tail === '' ? ' and said nothing' : `; its last lines:\n${tail}`}`,
  );
}
