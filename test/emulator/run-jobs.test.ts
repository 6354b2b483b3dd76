import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';
import { ended, PARENT, running } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

afterEach(endEmulators);

const SCRIPT = `
const fs = require('node:fs');
const { CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_ATTEMPT: attempt, MODE } = process.env;
console.log('task ' + index + ' of ' + process.env.CLOUD_RUN_TASK_COUNT + ' attempt ' + attempt + ' ' + (process.argv[2] ?? ''));
if (MODE === 'fail') process.exit(5);
if (MODE === 'second') process.exit(attempt === '0' ? 1 : 0);
if (MODE === 'hang') setInterval(() => {}, 1000);
if (MODE === 'once') fs.writeFileSync(process.env.FILE, '');
`;

async function world() {
  const { emulator, image } = await running();
  const reference = await image('migrate', { 'main.js': SCRIPT });
  const job = async (env: Record<string, string>, more: { template?: object; task?: object; job?: object } = {}) => {
    const container = { image: reference, env: Object.entries(env).map(([name, value]) => ({ name, value })) };
    const body = {
      template: { template: { containers: [container], maxRetries: 0, ...more.task }, ...more.template },
      ...more.job,
    };
    const end = await ended(emulator, await ask(emulator, 'POST', 'run', `${PARENT}/jobs?jobId=migrate`, { body }));
    expect(end.error).toBeUndefined();
  };
  return { emulator, job };
}

const run = (emulator: Emulator, body: object = {}) =>
  ask(emulator, 'POST', 'run', `${PARENT}/jobs/migrate:run`, { body });
const saidBy = (emulator: Emulator) =>
  emulator.world.signals
    .logged()
    .filter(({ resource }) => JSON.stringify(resource).includes('cloud_run_job'))
    .map(({ textPayload }) => textPayload);

describe('jobs of Cloud Run', () => {
  test('a job that is made with a token is executed once under its name, however often it is asked for', async () => {
    const { emulator, job } = await world();
    const file = join(tempDir('job'), 'ran');
    await job({ MODE: 'once', FILE: file }, { job: { startExecutionToken: 'first' } });
    await waitFor(() => existsSync(file), { what: 'the job to run' });
    const { body: made } = await ask(emulator, 'GET', 'run', `${PARENT}/jobs/migrate`);
    expect(made).toMatchObject({ executionCount: 1, latestCreatedExecution: { name: 'migrate-first' } });
    const again = { template: made.template, startExecutionToken: 'first' };
    expect((await ask(emulator, 'PATCH', 'run', `${PARENT}/jobs/migrate`, { body: again })).status).toBe(200);
    const { body } = await ask(emulator, 'GET', 'run', `${PARENT}/jobs/migrate/executions`);
    expect(body.executions).toHaveLength(1);
  });

  test('an execution runs the program once, and its end is recorded', async () => {
    const { emulator, job } = await world();
    const file = join(tempDir('job'), 'ran');
    await job({ MODE: 'once', FILE: file });
    const end = await ended(emulator, await run(emulator));
    expect(end.error).toBeUndefined();
    expect(existsSync(file)).toBe(true);
    expect(end.response).toMatchObject({
      taskCount: 1,
      succeededCount: 1,
      conditions: [{ type: 'Completed', state: 'CONDITION_SUCCEEDED' }],
    });
    const { body: tasks } = await ask(emulator, 'GET', 'run', `/v2/${end.response.name}/tasks`);
    expect(tasks.tasks).toMatchObject([{ lastAttemptResult: { exitCode: 0 } }]);
    const { body: made } = await ask(emulator, 'GET', 'run', `${PARENT}/jobs/migrate`);
    expect(made).toMatchObject({
      executionCount: 1,
      latestCreatedExecution: { completionStatus: 'EXECUTION_SUCCEEDED' },
    });
    expect(saidBy(emulator)).toEqual(['task 0 of 1 attempt 0 ']);
  });

  test('a failing program is tried again as often as allowed, then its code is told', async () => {
    const { emulator, job } = await world();
    await job({ MODE: 'fail' }, { task: { maxRetries: 1 } });
    const end = await ended(emulator, await run(emulator));
    expect(end.error.message).toContain('exit code 5');
    expect(end.metadata).toMatchObject({
      failedCount: 1,
      retriedCount: 1,
      conditions: [{ state: 'CONDITION_FAILED', executionReason: 'NON_ZERO_EXIT_CODE' }],
    });
    expect(saidBy(emulator)).toHaveLength(2);
    const { body } = await ask(emulator, 'GET', 'run', `${PARENT}/jobs/migrate/executions`);
    expect(body.executions).toHaveLength(1);
    const { body: tasks } = await ask(emulator, 'GET', 'run', `/v2/${body.executions[0].name}/tasks`);
    expect(tasks.tasks[0].lastAttemptResult).toMatchObject({ exitCode: 5 });
  });

  test('several tasks, each with its number, other arguments and variables for one execution', async () => {
    const { emulator, job } = await world();
    await job({ MODE: 'fail' }, { template: { taskCount: 3, parallelism: 1 }, task: { maxRetries: 1 } });
    const containerOverrides = [{ args: ['node', 'main.js', 'now'], env: [{ name: 'MODE', value: 'second' }] }];
    const end = await ended(emulator, await run(emulator, { overrides: { taskCount: 2, containerOverrides } }));
    expect(end.response).toMatchObject({ taskCount: 2, succeededCount: 2, retriedCount: 2 });
    expect(saidBy(emulator)).toEqual([0, 0, 1, 1].map((index, at) => `task ${index} of 2 attempt ${at % 2} now`));
  });

  test('one is cancelled, another takes too long, a third has no image', async () => {
    const { emulator, job } = await world();
    await job({ MODE: 'hang' }, { task: { timeout: '1s' } });
    const late = await ended(emulator, await run(emulator));
    expect(late.error.message).toContain('timeout');
    const begun = await run(emulator, { overrides: { timeout: '600s' } });
    await waitFor(() => saidBy(emulator).length === 2, { what: 'the second to run' });
    await ask(emulator, 'POST', 'run', `/v2/${begun.body.metadata.name}:cancel`, { body: {} });
    const { metadata, error } = await ended(emulator, begun);
    expect(error).toBeDefined();
    expect(metadata).toMatchObject({ cancelledCount: 1, conditions: [{ executionReason: 'CANCELLED' }] });
    const body = {
      template: { template: { containers: [{ image: 'europe-west1-docker.pkg.dev/demo-project/apps/none' }] } },
    };
    await ended(emulator, await ask(emulator, 'PATCH', 'run', `${PARENT}/jobs/migrate`, { body }));
    expect((await ended(emulator, await run(emulator))).error.message).toMatch(/Image .* not found/);
    expect(
      (await ended(emulator, await ask(emulator, 'DELETE', 'run', `${PARENT}/jobs/migrate`))).error,
    ).toBeUndefined();
    expect((await ask(emulator, 'GET', 'run', `${PARENT}/jobs/migrate`)).status).toBe(404);
  });
});
