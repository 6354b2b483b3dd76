import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { sendSignal } from '../../src/platform/process/table.ts';
import type { JobObservation, JobRunner, JobSpec } from '../../src/ports/runtime.ts';
import { marked } from '../support/runtime-bench.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const DRIVER = fileURLToPath(new URL('./runtime-driver.ts', import.meta.url));

interface JobBench {
  home: string;
  jobs: JobRunner;
  spec(command: string, change?: Partial<JobSpec>): JobSpec;
  over(id?: string): Promise<JobObservation>;
  output(): string;
  folder(): string;
}

function jobBench(): JobBench {
  const home = tempDir('home');
  const cwd = join(home, 'source');
  mkdirSync(cwd);
  const jobs = processJobs({ home });
  const log = join(home, 'logs', 'job.log');
  onTestFinished(async () => {
    for (const pid of marked(home)) sendSignal(pid, 'SIGKILL');
    await waitFor(() => marked(home).length === 0, { what: 'processes to go' });
  });
  return {
    home,
    jobs,
    spec: (command, change = {}) => ({
      id: 'r7.migrate.api',
      project: 'chat',
      environment: 'production',
      command,
      cwd,
      env: {},
      log,
      resources: { memory: null, cpu: null },
      ...change,
    }),
    over: (id = 'r7.migrate.api') =>
      waitFor(async () => ((now) => (now.state === 'running' ? null : now))(await jobs.observe(id)), {
        what: 'its end',
        timeout: 30_000,
      }),
    output: () => readFileSync(log, 'utf8'),
    folder: () => join(home, 'jobs', readdirSync(join(home, 'jobs'))[0] ?? ''),
  };
}

test('kill -9 of its shim: the job is killed too, unknown for good, and never run again', async () => {
  const { home, jobs, spec, over, output, folder } = jobBench();
  const job = spec('echo ran; sleep 600');
  await jobs.start(job);
  await waitFor(() => output() === 'ran\n', { what: 'its work' });
  sendSignal(Number(readFileSync(join(folder(), 'claim'), 'utf8').split(' ')[0]), 'SIGKILL');
  expect(await over()).toMatchObject({ state: 'unknown' });
  await waitFor(() => marked(home).length === 0, { what: 'everything of it to be gone' });
  await jobs.start(job);
  expect(await jobs.observe(job.id)).toMatchObject({ state: 'unknown' });
  expect(output()).toBe('ran\n');
});

test('a job whose controller is killed while it starts it runs once, whoever starts it again', async () => {
  const { home, jobs, spec, over, output } = jobBench();
  const ids: string[] = [];
  for (const [index, timeout] of [60, 100, 130, 150, 180, 250].entries()) {
    const job = spec(`echo ran ${index}`, { id: `r7.build.${index}` });
    ids.push(job.id);
    await runCommand([process.execPath, DRIVER, 'job', home, JSON.stringify(job)], { timeout });
    await jobs.start(job);
    expect(await over(job.id)).toMatchObject({ state: 'ended', exit: 0 });
  }
  expect(output().trim().split('\n').toSorted()).toEqual(ids.map((_, index) => `ran ${index}`));
});

test('a job that the power cut may have hit is unknown, even when only the intent to run it reached the disk', async () => {
  const { jobs, spec, over, output, folder } = jobBench();
  const job = spec('echo ran');
  await jobs.start(job);
  await over();
  for (const name of readdirSync(folder())) if (name !== 'job.json') rmSync(join(folder(), name), { recursive: true });
  const file = join(folder(), 'job.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"boot":"[^"]+"/, '"boot":"before"'));
  expect(await jobs.observe(job.id)).toMatchObject({ state: 'unknown', reason: expect.stringContaining('restarted') });
  await jobs.start(job);
  expect(output()).toBe('ran\n');
});

test('what a job leaves running is ended with it', async () => {
  const { home, jobs, spec, over } = jobBench();
  await jobs.start(spec('(setsid sleep 700 &); sleep 701 & exit 0'));
  expect(await over()).toMatchObject({ state: 'ended', exit: 0 });
  await waitFor(() => marked(home).length === 0, { what: 'everything of it to be gone' });
});

test('a folder that is not there is an error that trying again does not help', async () => {
  const { jobs, spec } = jobBench();
  await expect(jobs.start(spec('true', { cwd: '/no/such/folder' }))).rejects.toMatchObject({
    code: 'job-start-failed',
    retryable: false,
  });
  await expect(jobs.start(spec('true', { env: { TOKEN: 'hush\0' } }))).rejects.toMatchObject({
    code: 'env-unusable',
    message: expect.not.stringContaining('hush'),
  });
  expect(await jobs.observe('r7.migrate.api')).toEqual({ state: 'absent' });
});

test('runs in a copy of an artifact when it is told to, and deletes that when it is removed', async () => {
  const { home, jobs, spec, over, output } = jobBench();
  const artifact = join(home, 'artifact');
  mkdirSync(join(artifact, 'app'), { recursive: true });
  writeFileSync(join(artifact, 'app', 'schema.sql'), 'create table');
  const data = [{ path: 'storage', target: join(home, 'shared') }];
  const { cwd: _, ...rest } = spec('cat schema.sql; echo changed > schema.sql; echo kept > storage/x');
  await jobs.start({ ...rest, workingCopy: { artifact, dir: 'app', data } });
  expect(await over()).toMatchObject({ exit: 0 });
  await jobs.remove(rest.id);
  expect(output()).toBe('create table');
  expect(readFileSync(join(artifact, 'app', 'schema.sql'), 'utf8')).toBe('create table');
  expect(readFileSync(join(home, 'shared', 'x'), 'utf8')).toBe('kept\n');
  expect(readdirSync(join(home, 'jobs'))).toEqual([]);
});

test('a job that is stopped before it began never begins', async () => {
  const { jobs, spec, over, folder, home } = jobBench();
  mkdirSync(join(home, 'jobs', 'r7.migrate.api'), { recursive: true });
  await jobs.cancel('r7.migrate.api', { graceMs: 0 });
  await jobs.start(spec('touch ran'));
  expect(await over()).toMatchObject({ state: 'ended', cancelled: true, exit: null });
  expect(existsSync(join(folder(), 'work'))).toBe(false);
  expect(existsSync(join(home, 'source', 'ran'))).toBe(false);
});
