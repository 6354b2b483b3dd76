import { randomUUID } from 'node:crypto';
import { GoogleError } from '../core/google-error.ts';
import { render } from '../core/operations.ts';
import { isObject, objectAt, textAt, type JsonObject } from '../json.ts';
import { problemOf } from './checks.ts';
import { condition } from './conditions.ts';
import type { Engine } from './engine.ts';
import { nextExecutionName, parentName, placeOf, shortName } from './names.ts';
import { asJson, type Pending } from './rows.ts';
import type { Condition, EnvVar, Execution, Job, Task, TaskTemplate } from './shapes.ts';
import { attempt } from './task.ts';

const executionAny = (execution: Execution): JsonObject => ({
  '@type': 'type.googleapis.com/google.cloud.run.v2.Execution',
  ...asJson(execution),
});

interface Overrides {
  taskCount?: number;
  timeout?: string;
  containerOverrides?: { name?: string; args?: string[]; clearArgs?: boolean; env?: EnvVar[] }[];
}

/**
 * Begins an execution of a job; the operation ends when the execution has, with an error if it failed. `id`: its name,
 * where that is given.
 */
export async function startExecution(
  engine: Engine,
  job: Job,
  body: JsonObject,
  { caller, id = nextExecutionName(shortName(job.name)) }: { caller: string; id?: string },
): Promise<JsonObject> {
  const overrides = objectAt(body, 'overrides') as unknown as Overrides;
  const template = overridden(job.template.template ?? {}, overrides);
  const now = engine.time();
  const name = `${job.name}/executions/${id}`;
  const taskCount = overrides.taskCount ?? job.template.taskCount ?? 1;
  const execution: Execution = {
    name,
    uid: randomUUID(),
    generation: '1',
    job: shortName(job.name),
    labels: { ...job.template.labels, 'run.googleapis.com/job': shortName(job.name) },
    annotations: { ...job.template.annotations },
    createTime: now,
    updateTime: now,
    startTime: now,
    creator: caller,
    taskCount,
    parallelism: Math.max(1, Math.min(job.template.parallelism ?? taskCount, taskCount)),
    template,
    reconciling: true,
    conditions: [condition('Completed', 'pending', now)],
    etag: engine.etag(name),
  };
  if (body['validateOnly'] === true) {
    const response = executionAny(execution);
    const operation = `${parentName(placeOf(name))}/operations/{id}`;
    return render(
      await engine.world.operations.start({ api: 'run', name: operation, takes: 0, metadata: response, response }),
    );
  }
  engine.tables.executions.set(name, execution);
  const before = engine.tables.jobs.get(job.name) ?? job;
  const latest = { name: shortName(name), createTime: now, completionStatus: 'EXECUTION_RUNNING' };
  const executionCount = (before.executionCount ?? 0) + 1;
  engine.tables.jobs.set(job.name, { ...before, executionCount, latestCreatedExecution: latest });
  const row = await engine.world.operations.start({
    api: 'run',
    name: `${parentName(placeOf(name))}/operations/{id}`,
    takes: 0,
    open: true,
    metadata: executionAny(execution),
  });
  const pending: Pending = { target: name, operation: textAt(row, 'name') ?? '', revision: null };
  engine.tables.pending.set(pending.operation, pending);
  const planned = isObject(row['failure']) ? textAt(row['failure'], 'message') : undefined;
  carryOutExecution(engine, pending, planned);
  return render(row);
}

function overridden(template: TaskTemplate, { timeout, containerOverrides = [] }: Overrides): TaskTemplate {
  const containers = (template.containers ?? []).map((container, index) => {
    const over =
      containerOverrides.find(({ name }) => name === container.name) ??
      (index === 0 ? containerOverrides[0] : undefined);
    if (over === undefined) return container;
    const names = new Set(over.env?.map(({ name }) => name));
    const env = [...(container.env ?? []).filter(({ name }) => !names.has(name)), ...(over.env ?? [])];
    const args = over.clearArgs === true ? [] : over.args?.length ? over.args : container.args;
    return { ...container, env, ...(args === undefined ? {} : { args }) };
  });
  return { ...template, containers, ...(timeout === undefined ? {} : { timeout }) };
}

/** Also for what a former emulator left: its tasks are begun again, as Cloud Run does when a machine is lost. */
export function carryOutExecution(engine: Engine, pending: Pending, planned?: string): void {
  void engine.inTurn(pending.target, async () => {
    await runTasks(engine, pending.target, planned ?? null);
    if (engine.stopping.signal.aborted) return;
    engine.tables.pending.delete(pending.operation);
    const execution = engine.tables.executions.get(pending.target);
    if (engine.world.operations.find(pending.operation)?.['done'] !== false) return;
    const completed = execution?.conditions?.[0];
    const end =
      execution !== undefined && completed?.state === 'CONDITION_SUCCEEDED'
        ? { response: executionAny(execution) }
        : { error: new GoogleError('FAILED_PRECONDITION', completed?.message ?? 'The execution was deleted.') };
    engine.world.operations.finish(
      pending.operation,
      end,
      execution === undefined ? undefined : executionAny(execution),
    );
    await engine.world.state.flush();
  });
}

/** Stops an execution's tasks; resolves when none runs any more. */
export async function cancelExecution(engine: Engine, name: string): Promise<void> {
  const execution = engine.tables.executions.get(name);
  if (execution === undefined || execution.completionTime !== undefined) return;
  engine.cancelled(name).abort();
  await engine.inTurn(name, async () => {});
}

async function runTasks(engine: Engine, name: string, planned: string | null): Promise<void> {
  const execution = engine.tables.executions.get(name);
  if (execution === undefined) return;
  const cancel = engine.cancelled(name);
  const problem = planned ?? problemOf(engine.world, engine.images, execution.template, name)?.message ?? null;
  const waiting = problem === null ? Array.from({ length: execution.taskCount }, (_, index) => index) : [];
  const work = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      if (cancel.signal.aborted || engine.stopping.signal.aborted) return;
      await runTask(engine, execution, index, cancel.signal);
      tally(engine, name, null);
    }
  };
  await Promise.all(Array.from({ length: execution.parallelism }, work));
  if (!engine.stopping.signal.aborted) tally(engine, name, { problem, cancelled: cancel.signal.aborted });
  engine.forget(name);
}

async function runTask(engine: Engine, execution: Execution, index: number, cancel: AbortSignal): Promise<void> {
  const task = newTask(engine, execution, index);
  engine.tables.tasks.set(task.name, task);
  const most = execution.template.maxRetries ?? 3;
  for (let retried = 0; ; retried++) {
    const result = await attempt(engine, execution, { index, attempt: retried }, cancel);
    if (engine.stopping.signal.aborted || !engine.tables.executions.has(execution.name)) return;
    const ok = result.exitCode === 0;
    const last = ok || retried >= most || cancel.aborted;
    const now = engine.time();
    const outcome = ok ? { ok } : { ok, message: result.message };
    engine.tables.tasks.set(task.name, {
      ...task,
      retried,
      lastAttemptResult: {
        exitCode: result.exitCode ?? 0,
        ...(result.termSignal === null ? {} : { termSignal: result.termSignal }),
        status: ok ? {} : { code: 2, message: result.message },
      },
      ...(last ? { completionTime: now, reconciling: false } : {}),
      conditions: [condition('Completed', last ? outcome : 'pending', now)],
      updateTime: now,
    });
    if (last) return;
  }
}

function newTask(engine: Engine, execution: Execution, index: number): Task {
  const name = `${execution.name}/tasks/${shortName(execution.name)}-task${index}`;
  const now = engine.time();
  return {
    ...execution.template,
    name,
    uid: randomUUID(),
    generation: '1',
    observedGeneration: '1',
    job: execution.job,
    execution: shortName(execution.name),
    index,
    labels: { 'run.googleapis.com/job': execution.job, 'run.googleapis.com/execution': shortName(execution.name) },
    createTime: now,
    updateTime: now,
    scheduledTime: now,
    startTime: now,
    reconciling: true,
    conditions: [condition('Completed', 'pending', now)],
    etag: engine.etag(name),
  };
}

/** Counts an execution's tasks anew; `end` when it is over, with what kept it from running at all. */
function tally(engine: Engine, name: string, end: { problem: string | null; cancelled: boolean } | null): void {
  const execution = engine.tables.executions.get(name);
  if (execution === undefined) return;
  const tasks = engine.tables.tasks.list(`${name}/tasks/`);
  const count = (fits: (task: Task) => boolean) => tasks.filter(fits).length;
  const state = ({ conditions }: Task) => conditions?.[0]?.state;
  const succeeded = count((task) => state(task) === 'CONDITION_SUCCEEDED');
  const ended = count(({ completionTime }) => completionTime !== undefined);
  const now = engine.time();
  const whole: Execution = {
    ...execution,
    runningCount: tasks.length - ended,
    succeededCount: succeeded,
    failedCount: end?.cancelled === true ? 0 : ended - succeeded,
    retriedCount: tasks.reduce((sum, { retried = 0 }) => sum + retried, 0),
    updateTime: now,
    etag: engine.etag(name),
  };
  if (end !== null) {
    const failed = tasks.find((task) => state(task) === 'CONDITION_FAILED');
    const message =
      end.problem ??
      (end.cancelled
        ? 'The execution was cancelled.'
        : `Task ${shortName(failed?.name ?? '')} failed with message: ${failed?.conditions?.[0]?.message ?? ''}`);
    const ok = end.problem === null && !end.cancelled && succeeded === execution.taskCount;
    const completed: Condition = condition('Completed', ok ? { ok } : { ok, message }, now);
    if (!ok) completed.executionReason = end.cancelled ? 'CANCELLED' : 'NON_ZERO_EXIT_CODE';
    whole.conditions = [completed];
    whole.completionTime = now;
    whole.reconciling = false;
    whole.observedGeneration = '1';
    if (end.cancelled) whole.cancelledCount = execution.taskCount - succeeded;
    noteOnJob(engine, whole, ok ? 'EXECUTION_SUCCEEDED' : end.cancelled ? 'EXECUTION_CANCELLED' : 'EXECUTION_FAILED');
  }
  engine.tables.executions.set(name, whole);
}

function noteOnJob(engine: Engine, execution: Execution, completionStatus: string): void {
  const name = execution.name.replace(/\/executions\/[^/]+$/, '');
  const job = engine.tables.jobs.get(name);
  if (job?.latestCreatedExecution?.name !== shortName(execution.name)) return;
  const { createTime, completionTime = '' } = execution;
  const latest = { name: shortName(execution.name), createTime, completionTime, completionStatus };
  engine.tables.jobs.set(name, { ...job, latestCreatedExecution: latest });
}
