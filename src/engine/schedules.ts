import type { Deployment, Release } from '../domain/release/release.ts';
import { decideRun, type SeenJob } from '../domain/schedule/decide-run.ts';
import { decideSchedule } from '../domain/schedule/decide-schedule.ts';
import { type Run, runId, type ScheduleMark } from '../domain/schedule/run.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import type { JobObservation } from '../ports/runtime.ts';
import type { SaveRuns } from '../ports/run-store.ts';
import { attempt } from './attempt.ts';
import { resolveEnv } from './resolve-env.ts';
import { noting, runAs } from './run-as.ts';
import type { EnvironmentTools } from './tools.ts';

/** Between two looks at a job that runs. */
const LOOK_MS = 1_000;
const CANCEL_GRACE_MS = 10_000;
/** Of ended runs, those whose jobs may have been left by a controller that died. */
const RECENT = 20;

export interface ScheduleContext {
  project: string;
  environment: string;
  wanted: 'up' | 'down';
  deployments: Deployment[];
  serviceUrl: (service: string, release: string) => string | null;
}

/**
 * Decides upon the times that have come, records it, and only then begins what is due; takes what runs further. Answers
 * when time alone would change anything (wall time, milliseconds), or null.
 */
export async function convergeSchedules(
  tools: EnvironmentTools,
  context: ScheduleContext,
  running: Run[],
): Promise<number | null> {
  const { deps, memory } = tools;
  const scope = { project: context.project, environment: context.environment };
  const current = context.wanted === 'down' ? [] : scheduledReleases(tools, context.deployments);
  const wakes: number[] = [];
  const wake = (at: number | null): void => void (at === null || wakes.push(at));
  if (current.length > 0 || memory.schedules) {
    const marks = await deps.store.scheduleMarks(scope.project, scope.environment);
    memory.schedules = marks.length > 0;
    for (const mark of marks)
      if (!current.some((each) => each.service === mark.service))
        await attempt(deps, { service: mark.service }, 'schedule', () => forget(tools, scope, mark));
    for (const release of current) {
      const mark = marks.find((each) => each.service === release.service) ?? null;
      const run = running.find((each) => each.service === release.service) ?? null;
      wake(
        (await attempt(deps, { release: release.id }, 'schedule', () => decide(tools, scope, release, mark, run))) ??
          null,
      );
    }
  }
  for (const run of running)
    wake((await attempt(deps, { run: runId(run) }, 'run', () => advanceRun(tools, context, run))) ?? null);
  if (!memory.runsSwept) await attempt(deps, scope, 'ended runs', () => findLeft(tools, scope));
  for (const id of memory.overRuns)
    if (!running.some((run) => runId(run) === id))
      await attempt(deps, { run: id }, 'ended run', () => forgetJob(tools, id));
  return wakes.length === 0 ? null : Math.min(...wakes);
}

/** What is scheduled and serves: what a rollout brings counts from its promotion on. */
const scheduledReleases = (tools: EnvironmentTools, deployments: Deployment[]): Release[] =>
  deployments.flatMap(({ current }) => {
    const release = current === null ? null : tools.releases.get(current);
    return release?.config.schedule === undefined ? [] : [release];
  });

/** Brought down, taken out of the file, or scheduled no more: no time of it is missed from now on. */
async function forget(
  tools: EnvironmentTools,
  scope: { project: string; environment: string },
  mark: ScheduleMark,
): Promise<void> {
  const where = { ...scope, service: mark.service };
  const decided = { from: mark, mark: null, runs: [] };
  heed(tools, await tools.deps.store.decideRuns(where, decided, tools.deps.fence));
}

async function decide(
  tools: EnvironmentTools,
  scope: { project: string; environment: string },
  release: Release,
  mark: ScheduleMark | null,
  running: Run | null,
): Promise<number | null> {
  const { deps } = tools;
  const { schedule } = release.config;
  if (schedule === undefined) return null;
  const now = deps.clock.now();
  const decision = decideSchedule(release.service, schedule, { mark, running, now, timetable: deps.timetable });
  if (!decision.changed) return decision.wakeAt;
  const runs = decision.runs.map((each): Run => ({
    ...scope,
    service: release.service,
    askedBy: null,
    release: release.id,
    startedAt: null,
    endedAt: each.state === 'running' ? null : now,
    cancelledBy: null,
    ...each,
  }));
  const decided = { from: mark, mark: decision.mark, runs };
  if (!heed(tools, await deps.store.decideRuns({ ...scope, service: release.service }, decided, deps.fence)))
    return now;
  for (const { dueAt, state, reason } of runs)
    deps.log.info({ service: release.service, dueAt, state }, `scheduled run: ${reason}`);
  // What is due begins with the next look, which is now.
  return runs.some((each) => each.state === 'running') ? now : decision.wakeAt;
}

async function advanceRun(tools: EnvironmentTools, context: ScheduleContext, stored: Run): Promise<number | null> {
  const { deps } = tools;
  const id = runId(stored);
  const release = await releaseOf(tools, stored);
  const schedule = release?.config.schedule ?? { lateMs: Infinity, deadlineMs: Infinity };
  // Nothing of an environment that is brought down goes on.
  const run = context.wanted === 'down' && stored.cancelledBy === null ? await cancelled(tools, stored) : stored;
  const unbegun = tools.memory.unbegun.get(id);
  const job: SeenJob =
    unbegun === undefined
      ? seenJob(await deps.jobs.observe(id))
      : { state: 'failed', startedAt: run.dueAt, endedAt: deps.clock.now(), detail: unbegun };
  const now = deps.clock.now();
  const { next, action, wakeAt } = decideRun(run, schedule, job, now);
  // Whether or not the answer of the store arrives; the job is forgotten once a later look finds the run over.
  if (next.state !== 'running') tools.memory.overRuns.add(id);
  if (next !== run && !heed(tools, await deps.store.saveRun(next, deps.fence))) return now;
  if (next.state !== 'running') {
    deps.log.info({ run: id, state: next.state }, `scheduled run ended: ${next.reason}`);
    tools.memory.unbegun.delete(id);
    return now;
  }
  if (action === 'start') await begin(tools, context, run, release);
  if (action === 'cancel') await deps.jobs.cancel(id, { graceMs: release?.config.stopGraceMs ?? CANCEL_GRACE_MS });
  return Math.min(now + LOOK_MS, wakeAt ?? Infinity);
}

async function releaseOf(tools: EnvironmentTools, { project, release }: Run): Promise<Release | null> {
  if (release === null) return null;
  await tools.releases.load(project, [release]);
  return tools.releases.get(release);
}

const cancelled = async (tools: EnvironmentTools, run: Run): Promise<Run> =>
  (await tools.deps.store.cancelRun(run, 'down')) ?? run;

async function begin(
  tools: EnvironmentTools,
  context: ScheduleContext,
  run: Run,
  release: Release | null,
): Promise<void> {
  const { deps, memory } = tools;
  const id = runId(run);
  const { project, environment, service } = run;
  try {
    if (
      release === null ||
      release.artifact === null ||
      (release.config.run === null && release.config.cloud === undefined)
    ) {
      memory.unbegun.set(id, `there is nothing of ${run.release ?? service} that could run`);
      return;
    }
    const { config } = release;
    const command = config.run ?? '';
    const scope = { project, environment };
    const { serviceUrl, calls } = noting((asked) => context.serviceUrl(asked, release.id));
    const { cloud } = config;
    const env =
      cloud === undefined ? await resolveEnv(config.env, scope, { port: null, serviceUrl }, deps.secrets) : {};
    await deps.jobs.start({
      id,
      ...scope,
      command,
      workingCopy: {
        artifact: deps.builder.artifactPath(release.artifact),
        dir: config.dir,
        data: config.data.map((path) => ({ path, target: deps.places.data({ ...scope, service, path }) })),
      },
      env: { ...env, EVENKEEL_SERVICE: service, EVENKEEL_RELEASE: release.id },
      log: deps.places.jobLog({ ...scope, job: id }),
      resources: config.resources,
      runAs: runAs(config),
      calls: calls(),
      cloud: cloud && { config: cloud, preview: null },
    });
  } catch (error) {
    if (!(error instanceof EvenkeelError) || error.retryable) throw error;
    memory.unbegun.set(id, `it could not be begun: ${described(error)}`);
    tools.wake();
  }
}

/** A controller that died between an end that it wrote down and forgetting the job has left it. */
async function findLeft(tools: EnvironmentTools, scope: { project: string; environment: string }): Promise<void> {
  for (const run of await tools.deps.store.runs({ ...scope, limit: RECENT }))
    if (run.state !== 'running' && run.state !== 'skipped') tools.memory.overRuns.add(runId(run));
  tools.memory.runsSwept = true;
}

async function forgetJob({ deps, memory }: EnvironmentTools, id: string): Promise<void> {
  if ((await deps.jobs.observe(id)).state !== 'absent') await deps.jobs.remove(id);
  memory.overRuns.delete(id);
}

/** False: somebody else has written meanwhile; look again. A later controller's fence ends this one. */
function heed(tools: EnvironmentTools, saved: SaveRuns): boolean {
  if (!saved.saved && saved.reason === 'fence') tools.deps.onFenced();
  return saved.saved;
}

function seenJob(job: JobObservation): SeenJob {
  switch (job.state) {
    case 'absent':
      return job;
    case 'running':
      return { state: 'running', startedAt: job.startedAt };
    case 'unknown':
      return { state: 'unknown', detail: job.reason };
    case 'ended': {
      const { startedAt, endedAt, exit, signal, cancelled: byUs, tail = '' } = job;
      const times = { startedAt, endedAt };
      if (byUs) return { state: 'cancelled', ...times, detail: 'it was cancelled' };
      if (exit === 0) return { state: 'done', ...times, detail: 'exit code 0' };
      const how = signal === null ? `exit code ${exit}` : `signal ${signal}`;
      return { state: 'failed', ...times, detail: `${how}${tail === '' ? '' : `; its last lines:\n${tail}`}` };
    }
  }
}
