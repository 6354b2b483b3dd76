import { randomUUID } from 'node:crypto';
import type { Api, Call, Handler } from '../core/api.ts';
import { alreadyExists, badState, GoogleError, invalid, notFound, notModelled } from '../core/google-error.ts';
import { render } from '../core/operations.ts';
import { page } from '../core/pages.ts';
import { made, objectAt, textAt, textsAt, type JsonObject } from '../json.ts';
import { checkAccount } from './change.ts';
import { condition } from './conditions.ts';
import type { Engine } from './engine.ts';
import { startExecution, cancelExecution } from './executions.ts';
import { parentName, placeOf, shortName } from './names.ts';
import { asJson } from './rows.ts';
import { checkEtag, sizes } from './services-v2.ts';
import type { Execution, ExecutionTemplate, Job, Task } from './shapes.ts';
import { checkName, checkProgram, seconds } from './validate.ts';

const JOBS = 'run.projects.locations.jobs';

type Kind = 'Job' | 'Execution' | 'Task';

const any = (kind: Kind, row: object): JsonObject => ({
  '@type': `type.googleapis.com/google.cloud.run.v2.${kind}`,
  ...asJson(row),
});

/** Jobs, their executions and tasks. */
export function jobsV2(engine: () => Engine): Api['handlers'] {
  const handlers: Record<string, (call: Call, engine: Engine) => JsonObject | Promise<JsonObject>> = {
    create: (call, engine) => {
      const name = `${call.at('parent')}/jobs/${call.query('jobId') ?? ''}`;
      checkName('job', shortName(name));
      if (engine.tables.jobs.has(name)) throw alreadyExists(`Resource '${shortName(name)}' already exists.`);
      return store(call, engine, changedJob(call, engine, name, undefined));
    },
    get: (call, engine) => asJson(findJob(engine, call.at('name'))),
    list: (call, engine) => {
      const { entries, nextPageToken } = page(
        engine.tables.jobs.list(`${call.at('parent')}/jobs/`),
        byName,
        sizes(call),
      );
      return made({ jobs: entries.map(asJson), nextPageToken });
    },
    patch: (call, engine) => {
      const name = call.at('name');
      const before = engine.tables.jobs.get(name);
      if (before === undefined && call.query('allowMissing') !== 'true') throw missing('Job', name);
      if (before !== undefined) checkEtag(before, textAt(call.body, 'etag'));
      return store(call, engine, changedJob(call, engine, name, before));
    },
    delete: async (call, engine) => {
      const job = findJob(engine, call.at('name'));
      checkEtag(job, call.query('etag'));
      const executions = engine.tables.executions.list(`${job.name}/executions/`);
      await Promise.all(executions.map(({ name }) => cancelExecution(engine, name)));
      for (const { name } of executions) removeExecution(engine, name);
      engine.tables.jobs.delete(job.name);
      engine.world.policies.delete(job.name);
      return done(engine, 'Job', job);
    },
    run: (call, engine) => {
      const job = findJob(engine, call.at('name'));
      checkEtag(job, textAt(call.body, 'etag'));
      return startExecution(engine, job, call.body, { caller: call.caller.email });
    },
    getIamPolicy: (call, engine) => engine.world.policies.get(findJob(engine, call.at('resource')).name),
    setIamPolicy: (call, engine) =>
      engine.world.policies.set(findJob(engine, call.at('resource')).name, objectAt(call.body, 'policy')),
    testIamPermissions: (call) => ({ permissions: textsAt(call.body, 'permissions') }),
    'executions.get': (call, engine) => asJson(findExecution(engine, call.at('name'))),
    'executions.list': (call, engine) => {
      const prefix = `${call.at('parent').replace(/\/jobs\/-$/, '/jobs')}/`;
      const all = engine.tables.executions.list(prefix.endsWith('/jobs/') ? prefix : `${prefix}executions/`);
      const newestFirst = ({ createTime, name }: Execution) => `${9e15 - Date.parse(createTime)} ${name}`;
      const { entries, nextPageToken } = page(all, newestFirst, sizes(call));
      return made({ executions: entries.map(asJson), nextPageToken });
    },
    'executions.cancel': async (call, engine) => {
      const execution = findExecution(engine, call.at('name'));
      if (execution.completionTime !== undefined)
        throw badState(`Execution '${shortName(execution.name)}' has ended already.`);
      await cancelExecution(engine, execution.name);
      return done(engine, 'Execution', findExecution(engine, execution.name));
    },
    'executions.delete': async (call, engine) => {
      const execution = findExecution(engine, call.at('name'));
      await cancelExecution(engine, execution.name);
      removeExecution(engine, execution.name);
      return done(engine, 'Execution', execution);
    },
    'executions.tasks.get': (call, engine) => {
      const task = engine.tables.tasks.get(call.at('name'));
      if (task === undefined) throw missing('Task', call.at('name'));
      return asJson(task);
    },
    'executions.tasks.list': (call, engine) => {
      const all = engine.tables.tasks.list(`${call.at('parent')}/tasks/`);
      const { entries, nextPageToken } = page(all, byIndex, sizes(call));
      return made({ tasks: entries.map(asJson), nextPageToken });
    },
  };
  const bound = Object.entries(handlers).map(([method, handle]): [string, Handler] => [
    `${JOBS}.${method}`,
    (call) => handle(call, engine()),
  ]);
  return Object.fromEntries(bound);
}

const byName = ({ name }: { name: string }): string => name;
const byIndex = ({ index = 0 }: Task): string => String(index).padStart(6, '0');

const missing = (kind: Kind, name: string): GoogleError =>
  notFound(
    `Resource '${shortName(name)}' of kind '${kind.toUpperCase()}' in region '${placeOf(name).region}' in project '${placeOf(name).project}' does not exist.`,
  );

function findJob(engine: Engine, name: string): Job {
  const found = engine.tables.jobs.get(name);
  if (found === undefined) throw missing('Job', name);
  return found;
}

function findExecution(engine: Engine, name: string): Execution {
  const found = engine.tables.executions.get(name);
  if (found === undefined) throw missing('Execution', name);
  return found;
}

function removeExecution(engine: Engine, name: string): void {
  engine.tables.executions.delete(name);
  for (const task of engine.tables.tasks.list(`${name}/tasks/`)) engine.tables.tasks.delete(task.name);
}

function changedJob(call: Call, engine: Engine, name: string, before: Job | undefined): Job {
  const asked = call.body as unknown as Partial<Job>;
  const template: ExecutionTemplate = asked.template ?? {};
  const program = template.template ?? {};
  checkProgram(program, 'template.template');
  checkAccount(engine, program);
  const timeout = seconds(program.timeout ?? '600s');
  if (!(timeout >= 1)) throw new GoogleError('INVALID_ARGUMENT', 'template.template.timeout: is not a valid duration.');
  const now = engine.time();
  const generation = String(Number(before?.generation ?? 0) + 1);
  const { labels, annotations, client, clientVersion, launchStage } = asked;
  return {
    ...before,
    ...Object.fromEntries(
      Object.entries({ labels, annotations, client, clientVersion }).filter(([, value]) => value !== undefined),
    ),
    launchStage: launchStage ?? 'GA',
    name,
    uid: before?.uid ?? randomUUID(),
    generation,
    observedGeneration: generation,
    createTime: before?.createTime ?? now,
    updateTime: now,
    creator: before?.creator ?? call.caller.email,
    lastModifier: call.caller.email,
    template: {
      ...template,
      taskCount: template.taskCount ?? 1,
      template: { ...program, maxRetries: program.maxRetries ?? 3, timeout: `${timeout}s` },
    },
    terminalCondition: condition('Ready', { ok: true }, now),
    conditions: [],
    executionCount: before?.executionCount ?? 0,
    etag: engine.etag(name),
  };
}

async function store(call: Call, engine: Engine, job: Job): Promise<JsonObject> {
  const id = askedExecution(call, job);
  if (call.query('validateOnly') === 'true') return done(engine, 'Job', job);
  engine.tables.jobs.set(job.name, job);
  if (id !== null && !engine.tables.executions.has(`${job.name}/executions/${id}`))
    await startExecution(engine, job, {}, { caller: call.caller.email, id });
  return done(engine, 'Job', engine.tables.jobs.get(job.name) ?? job);
}

/** The name of the execution that is to begin together with the job; the same token never begins a second one. */
function askedExecution({ body }: Call, { name }: Job): string | null {
  if (textAt(body, 'runExecutionToken') !== undefined) throw notModelled('runExecutionToken of a job');
  const token = textAt(body, 'startExecutionToken');
  if (token === undefined) return null;
  const id = `${shortName(name)}-${token}`;
  if (id.length >= 63 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(token))
    throw invalid(
      "The token is made of lowercase letters, digits and hyphens; with the job's name it is shorter than 63.",
    );
  return id;
}

async function done(engine: Engine, kind: Kind, row: { name: string }): Promise<JsonObject> {
  const response = any(kind, row);
  const name = `${parentName(placeOf(row.name))}/operations/{id}`;
  return render(await engine.world.operations.start({ api: 'run', name, takes: 0, metadata: response, response }));
}
