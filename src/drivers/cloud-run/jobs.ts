import { setTimeout as sleep } from 'node:timers/promises';
import type { RunExecution, RunJob } from '../../domain/cloud/run/api.ts';
import { lastPart } from '../../domain/cloud/run/api.ts';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import { jobName } from '../../domain/cloud/run/names.ts';
import { jobTemplate } from '../../domain/cloud/run/template.ts';
import { addressOf } from '../../domain/cloud/run/targets.ts';
import { ownLabels } from '../../domain/cloud/resource.ts';
import { askedServices } from '../../domain/project/asked-services.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { JobObservation, JobRunner, JobSpec } from '../../ports/runtime.ts';
import { isConflict, type RunApi, statusOf } from './run-api.ts';
import type { CloudEnvironment, Views } from './view.ts';

/** Longer than any deadline of a rollout; Cloud Run allows a week. */
const TIMEOUT_S = 86_400;
/** A job that was made is executed within that, or whoever made it is gone, ms. */
const EXECUTED_WITHIN_MS = 30_000;
/** How long a start waits for its job to become ready. */
const READY_LOOKS = 30;
const READY_LOOK_MS = 300;
/** The suffix of the one execution that a job ever has. */
const ONCE = 'once';

export interface CloudRunJobsOptions {
  api: RunApi;
  views: Views;
  /** Where the job of this id is or will be; null: nobody knows of such a rollout or run. */
  environmentOf: (job: string) => Promise<CloudEnvironment | null>;
  urlOf: (config: CloudRunConfig, name: string) => Promise<string>;
  now?: () => number;
  /** The last lines that an execution wrote, or '' when nobody can tell. */
  tail?: (environment: CloudEnvironment, job: string, execution: string) => Promise<string>;
}

/** A piece of work is a Cloud Run job of its own, that is executed once. */
export class CloudRunJobs implements JobRunner {
  readonly #options: CloudRunJobsOptions;
  readonly #now: () => number;

  constructor(options: CloudRunJobsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async start(spec: JobSpec): Promise<void> {
    const { cloud, workingCopy } = spec;
    if (cloud === undefined || workingCopy === undefined) throw noImage(spec.id);
    const { api } = this.#options;
    const { config } = cloud;
    const environment = { project: config.project, region: config.region, scope: spec };
    const name = jobName(spec, spec.id);
    const urls = new Map<string, string>();
    for (const service of askedServices(config.env))
      urls.set(service, await this.#options.urlOf(config, config.names[service] ?? service));
    const smoke = await this.#previewUrl(environment, config, cloud.preview);
    const template = jobTemplate(
      config,
      { image: workingCopy.artifact, urlOf: (service) => urls.get(service) ?? '' },
      {
        command: spec.command,
        env: { ...spec.env, ...(smoke === null ? {} : { SMOKE_URL: smoke }) },
        timeoutS: TIMEOUT_S,
      },
    );
    const labels = { ...config.labels, ...ownLabels(spec) };
    const annotations = { 'evenkeel-job': spec.id };
    try {
      // Made and executed in one request where the provider heeds the token; see `#executed`.
      await api.createJob(environment, name, { labels, annotations, template, startExecutionToken: ONCE });
    } catch (error) {
      // It is there: begun before, by this controller or another one, and theirs to execute.
      if (isConflict(error)) return;
      throw error;
    }
    await this.#executed(environment, name);
  }

  /**
   * Waits a while until the job is ready, which one that is executed with its creation is only then. One that is ready
   * and was not executed is executed now, by whoever made it and nobody else: two who find it so at once would run it
   * twice, and its etag does not tell.
   */
  async #executed(environment: CloudEnvironment, name: string): Promise<void> {
    for (let looks = 0; looks < READY_LOOKS; looks++) {
      const job = await this.#options.api.job(environment, name);
      if (job === null || !isFresh(job)) return;
      if (isReady(job)) {
        try {
          await this.#options.api.runJob(environment, name, job.etag);
          return;
        } catch (error) {
          // Too many requests at once: that one was surely not heeded.
          if (!isConflict(error) && statusOf(error) !== 429) throw error;
        }
      }
      await sleep(READY_LOOK_MS);
    }
  }

  async observe(id: string): Promise<JobObservation> {
    const found = await this.#find(id);
    if (found === null) return { state: 'absent' };
    const { environment, name, job } = found;
    const execution = await this.#execution(environment, name, job);
    const begun = Date.parse(job.createTime ?? '') || 0;
    if (execution === null) {
      const { terminalCondition } = job;
      if (isFresh(job)) {
        if (terminalCondition?.state === 'CONDITION_FAILED')
          return failedToBegin(begun, terminalCondition.message ?? 'Cloud Run could not make it');
        // Whoever made it may just be about to execute it, or may have died in between.
        if (!isReady(job) || this.#now() - begun < EXECUTED_WITHIN_MS)
          return { state: 'running', startedAt: begun, pid: 0 };
        return { state: 'unknown', reason: `${name} was made, and nobody knows whether it was to be executed` };
      }
      return { state: 'unknown', reason: `the execution of ${name} is not there any more` };
    }
    return this.#observation({ environment, name, begun }, execution);
  }

  async #observation(
    { environment, name, begun }: { environment: CloudEnvironment; name: string; begun: number },
    execution: RunExecution,
  ): Promise<JobObservation> {
    const startedAt = Date.parse(execution.startTime ?? execution.createTime ?? '') || begun;
    const endedAt = Date.parse(execution.completionTime ?? '');
    if (Number.isNaN(endedAt)) return { state: 'running', startedAt, pid: 0 };
    const ended = { state: 'ended' as const, startedAt, endedAt: Math.max(startedAt, endedAt), signal: null };
    if ((execution.succeededCount ?? 0) > 0) return { ...ended, exit: 0, cancelled: false };
    if ((execution.cancelledCount ?? 0) > 0) return { ...ended, exit: null, signal: 'SIGTERM', cancelled: true };
    const id = lastPart(execution.name);
    const [task] = await this.#options.api.tasks(environment, name, id);
    const result = task?.lastAttemptResult;
    const completed = execution.conditions?.find(({ type }) => type === 'Completed');
    const said = (await this.#options.tail?.(environment, name, id).catch(() => '')) ?? '';
    const tail = said === '' ? (result?.status?.message ?? completed?.message ?? '') : said;
    const signal = result?.termSignal === undefined ? null : signalName(result.termSignal);
    if (signal === null && result?.exitCode === undefined && (execution.failedCount ?? 0) === 0)
      return { state: 'unknown', reason: `Cloud Run does not say how ${name} ended` };
    return { ...ended, exit: signal === null ? (result?.exitCode ?? 1) : null, signal, cancelled: false, tail };
  }

  async cancel(id: string, _options: { graceMs: number }): Promise<void> {
    const found = await this.#find(id);
    if (found === null) return;
    const { environment, name, job } = found;
    const execution = await this.#execution(environment, name, job);
    if (execution === null || execution.completionTime !== undefined) return;
    try {
      await this.#options.api.cancelExecution(environment, name, lastPart(execution.name));
    } catch (error) {
      // It has just ended by itself.
      if (![400, 404, 409].includes(statusOf(error) ?? 0)) throw error;
    }
  }

  async remove(id: string): Promise<void> {
    const found = await this.#find(id);
    if (found === null) return;
    if ((await this.observe(id)).state === 'running')
      throw new EvenkeelError({ code: 'job-running', what: `${id} still runs`, retryable: true, exit: 2 });
    await this.#options.api.deleteJob(found.environment, found.name);
  }

  async #find(id: string): Promise<{ environment: CloudEnvironment; name: string; job: RunJob } | null> {
    const environment = await this.#options.environmentOf(id);
    if (environment === null) return null;
    const name = jobName(environment.scope, id);
    const job = await this.#options.api.job(environment, name);
    return job === null ? null : { environment, name, job };
  }

  async #execution(environment: CloudEnvironment, name: string, job: RunJob): Promise<RunExecution | null> {
    const all = await this.#options.api.executions(environment, name);
    const latest = lastPart(job.latestCreatedExecution?.name);
    return all.find((each) => lastPart(each.name) === latest) ?? all[0] ?? null;
  }

  async #previewUrl(
    environment: CloudEnvironment,
    config: CloudRunConfig,
    release: string | null,
  ): Promise<string | null> {
    if (release === null) return null;
    const { services } = await this.#options.views.of(environment);
    const seen = services.find(({ name }) => name === config.name);
    const instance = Object.values(seen?.record.instances ?? {}).find((each) => each.release === release);
    return seen === undefined || instance === undefined ? null : addressOf(seen.service, instance);
  }
}

/** Nothing of it was ever executed. */
const isFresh = ({ executionCount = 0, latestCreatedExecution }: RunJob): boolean =>
  executionCount === 0 && latestCreatedExecution === undefined;

const isReady = ({ terminalCondition, reconciling }: RunJob): boolean =>
  terminalCondition?.state === 'CONDITION_SUCCEEDED' && reconciling !== true;

const failedToBegin = (at: number, why: string): JobObservation => ({
  state: 'ended',
  startedAt: at,
  endedAt: at,
  exit: 1,
  signal: null,
  cancelled: false,
  tail: why,
});

const SIGNALS: Record<number, string> = { 9: 'SIGKILL', 15: 'SIGTERM', 11: 'SIGSEGV', 6: 'SIGABRT', 2: 'SIGINT' };
const signalName = (number: number): string => SIGNALS[number] ?? `signal ${number}`;

const noImage = (id: string): EvenkeelError =>
  new EvenkeelError({ code: 'runtime-mismatch', what: `${id} has no image that Cloud Run could execute`, exit: 2 });
