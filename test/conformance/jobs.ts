import { describe, expect, onTestFinished, test } from 'vitest';
import type { JobObservation, JobRunner, JobSpec } from '../../src/ports/runtime.ts';
import { waitFor } from '../support/wait.ts';

export type JobConduct = 'succeeds' | 'exits-3' | 'killed' | 'hangs' | 'ignores-cancel';

export interface JobsBench {
  /** A runner over the same state, as after a restart of the controller; for one in memory, the same. */
  again(): JobRunner;
  cwd: string;
  log: string;
  command(conduct: JobConduct): string;
  pass(ms: number): Promise<void>;
}

export function jobOf(bench: Pick<JobsBench, 'cwd' | 'log'>, command: string, change: Partial<JobSpec> = {}): JobSpec {
  return {
    id: 'rollout7.migrate.api',
    project: 'chat',
    environment: 'production',
    command,
    cwd: bench.cwd,
    env: {},
    log: bench.log,
    resources: { memory: null, cpu: null },
    ...change,
  };
}

/** What every job runner must do. */
export function jobsConformance(name: string, setUp: () => Promise<JobsBench> | JobsBench): void {
  describe(`the ${name} job runner`, () => {
    const open = async (conduct: JobConduct) => {
      const bench = await setUp();
      const jobs = bench.again();
      const spec = jobOf(bench, bench.command(conduct));
      onTestFinished(async () => {
        await jobs.cancel(spec.id, { graceMs: 0 });
        await untilOver(bench, jobs, spec.id);
      });
      return { bench, jobs, spec };
    };

    test('knows nothing of a job that was never started', async () => {
      const { jobs, spec } = await open('succeeds');
      expect(await jobs.observe(spec.id)).toEqual({ state: 'absent' });
      await jobs.cancel('never', { graceMs: 0 });
      await jobs.remove('never');
    });

    test('tells success, and when it began and ended', async () => {
      const { bench, jobs, spec } = await open('succeeds');
      await jobs.start(spec);
      const end = await untilOver(bench, jobs, spec.id);
      expect(end).toMatchObject({ state: 'ended', exit: 0, signal: null, cancelled: false });
      if (end.state === 'ended') expect(end.endedAt).toBeGreaterThanOrEqual(end.startedAt);
    });

    test('tells the exit code', async () => {
      const { bench, jobs, spec } = await open('exits-3');
      await jobs.start(spec);
      expect(await untilOver(bench, jobs, spec.id)).toMatchObject({ exit: 3, signal: null, cancelled: false });
    });

    test('tells the signal that killed it', async () => {
      const { bench, jobs, spec } = await open('killed');
      await jobs.start(spec);
      expect(await untilOver(bench, jobs, spec.id)).toMatchObject({ exit: null, signal: 'SIGKILL', cancelled: false });
    });

    test('runs one id at most once, also for another runner and after its end', async () => {
      const { bench, jobs, spec } = await open('exits-3');
      await Promise.all([jobs.start(spec), bench.again().start(spec), jobs.start(spec)]);
      const end = await untilOver(bench, jobs, spec.id);
      await bench.again().start(spec);
      expect(await bench.again().observe(spec.id)).toEqual(end);
    });

    test('is found running by a runner that comes later', async () => {
      const { bench, jobs, spec } = await open('hangs');
      await jobs.start(spec);
      const seen = await bench.again().observe(spec.id);
      expect(seen.state).toBe('running');
      await jobs.start(spec);
      // Its pid may have come to be known in between.
      expect(await jobs.observe(spec.id)).toEqual({ ...seen, pid: expect.any(Number) });
    });

    test('ends as cancelled when it is', async () => {
      const { bench, jobs, spec } = await open('hangs');
      await jobs.start(spec);
      await bench.again().cancel(spec.id, { graceMs: 20_000 });
      const end = await untilOver(bench, jobs, spec.id);
      expect(end).toMatchObject({ state: 'ended', exit: null, signal: 'SIGTERM', cancelled: true });
    });

    test('is killed after the grace when it ignores that', async () => {
      const { bench, jobs, spec } = await open('ignores-cancel');
      await jobs.start(spec);
      await bench.pass(300);
      await jobs.cancel(spec.id, { graceMs: 300 });
      expect(await untilOver(bench, jobs, spec.id)).toMatchObject({ signal: 'SIGKILL', cancelled: true });
    });

    test('stays as it ended when it is cancelled afterwards', async () => {
      const { bench, jobs, spec } = await open('exits-3');
      await jobs.start(spec);
      const end = await untilOver(bench, jobs, spec.id);
      await jobs.cancel(spec.id, { graceMs: 0 });
      expect(await jobs.observe(spec.id)).toEqual(end);
    });

    test('is not removed while it runs, and is forgotten afterwards', async () => {
      const { bench, jobs, spec } = await open('hangs');
      await jobs.start(spec);
      await expect(jobs.remove(spec.id)).rejects.toMatchObject({ code: 'job-running', retryable: true });
      await jobs.cancel(spec.id, { graceMs: 0 });
      await untilOver(bench, jobs, spec.id);
      await jobs.remove(spec.id);
      expect(await jobs.observe(spec.id)).toEqual({ state: 'absent' });
    });
  });
}

export function untilOver(bench: Pick<JobsBench, 'pass'>, jobs: JobRunner, id: string): Promise<JobObservation> {
  const look = async () => {
    const seen = await jobs.observe(id);
    if (seen.state !== 'running') return seen;
    await bench.pass(20);
    return null;
  };
  return waitFor(look, { what: 'the end of the job', timeout: 30_000 });
}
