import { describe, expect, onTestFinished, test } from 'vitest';
import type { InstanceObservation } from '../../src/domain/instance/instance.ts';
import type { InstanceSpec, Runtime } from '../../src/ports/runtime.ts';
import { waitFor } from '../support/wait.ts';

/** What a command of the suite does; every runtime has its own way to say it. */
export type Conduct = 'runs' | 'exits-3' | 'killed' | 'ignores-stop' | 'not-found';

export interface RuntimeBench {
  /** A runtime over the same state, as after a restart of the controller; for one in memory, the same. */
  again(): Runtime;
  /** What a start needs that depends on the runtime; `artifact` exists and may be empty. */
  artifact: string;
  log: string;
  command(conduct: Conduct): string;
  /** Lets time pass, in whatever way it passes there. */
  pass(ms: number): Promise<void>;
}

const scope = { project: 'chat', environment: 'production' };

export function specOf(
  bench: Pick<RuntimeBench, 'artifact' | 'log' | 'command'>,
  change: Partial<InstanceSpec> = {},
): InstanceSpec {
  return {
    id: 'chat.production.api@42.0.0',
    ...scope,
    service: 'api',
    release: 'api@42',
    index: 0,
    generation: 0,
    artifact: bench.artifact,
    dir: '.',
    command: bench.command('runs'),
    env: {},
    port: null,
    data: [],
    resources: { memory: null, cpu: null },
    log: bench.log,
    ...change,
  };
}

/** What every runtime must do, whatever it runs on. */
export function runtimeConformance(name: string, setUp: () => Promise<RuntimeBench> | RuntimeBench): void {
  describe(`the ${name} runtime`, () => {
    const open = async () => {
      const bench = await setUp();
      const runtime = bench.again();
      onTestFinished(async () => {
        for (const { id } of await runtime.observe(scope)) await runtime.stop(id, { graceMs: 0, reason: 'test' });
        await until(bench, runtime, (all) => all.every(({ state }) => state === 'ended'), 'everything to end');
      });
      return { bench, runtime };
    };

    test('shows an instance as running as soon as its start is done', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench, { port: await runtime.allocatePort(), index: 2, generation: 5 });
      await runtime.start(spec);
      const [seen] = await runtime.observe(scope);
      const { id, service, release, index, generation, port } = spec;
      expect(seen).toMatchObject({
        id,
        service,
        release,
        index,
        generation,
        port,
        state: 'running',
        stopRequested: false,
      });
      expect(seen).toMatchObject({ endedAt: null, end: null });
      expect(seen?.pid).toBeGreaterThan(0);
    });

    test('runs one id once, however often and from wherever it is started', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench);
      await Promise.all([runtime.start(spec), runtime.start(spec), bench.again().start(spec)]);
      await runtime.start(spec);
      await runtime.observe(scope);
      const [first, ...more] = await bench.again().observe(scope);
      expect(more).toEqual([]);
      await runtime.start(spec);
      // Not its pid: until the command itself is born, that is the pid of what bears it.
      const [same, ...others] = await runtime.observe(scope);
      expect(others).toEqual([]);
      expect(same).toMatchObject({ id: first?.id, startedAt: first?.startedAt, generation: first?.generation });
    });

    test('starts what must be alone only once the other has ended', async () => {
      const { bench, runtime } = await open();
      const first = specOf(bench, { alone: true });
      const second = { ...first, id: 'chat.production.api@43.0.0', release: 'api@43' };
      await runtime.start(first);
      await expect(bench.again().start(second)).rejects.toMatchObject({ code: 'instance-not-alone', retryable: true });
      // Another service is nobody's rival.
      await runtime.start(
        specOf(bench, { id: 'chat.production.web@1.0.0', service: 'web', release: 'web@1', alone: true }),
      );
      await runtime.stop(first.id, { graceMs: 20_000, reason: 'test' });
      await until(
        bench,
        runtime,
        (all) => all.some(({ id, state }) => id === first.id && state === 'ended'),
        'the first to end',
      );
      await runtime.start(second);
      expect((await runtime.observe(scope)).find(({ id }) => id === second.id)?.state).toBe('running');
    });

    test('does not start an id again that has ended', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench, { command: bench.command('exits-3') });
      await runtime.start(spec);
      const ended = await untilEnded(bench, runtime);
      await runtime.start(spec);
      expect((await runtime.observe(scope))[0]).toEqual(ended);
    });

    test('tells the exit code, and that nobody asked for the end', async () => {
      const { bench, runtime } = await open();
      await runtime.start(specOf(bench, { command: bench.command('exits-3') }));
      const ended = await untilEnded(bench, runtime);
      expect(ended).toMatchObject({ end: { kind: 'exit', code: 3 }, stopRequested: false, pid: null });
      expect(ended.endedAt).toBeGreaterThanOrEqual(ended.startedAt);
    });

    test('tells the signal that killed it', async () => {
      const { bench, runtime } = await open();
      await runtime.start(specOf(bench, { command: bench.command('killed') }));
      expect((await untilEnded(bench, runtime)).end).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    });

    test('tells a command that does not exist as a failed start', async () => {
      const { bench, runtime } = await open();
      await runtime.start(specOf(bench, { command: bench.command('not-found') }));
      expect((await untilEnded(bench, runtime)).end).toMatchObject({ kind: 'start-failed' });
    });

    test('stops gracefully, and remembers that it was asked to', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench);
      await runtime.start(spec);
      await runtime.stop(spec.id, { graceMs: 20_000, reason: 'test' });
      const ended = await untilEnded(bench, runtime);
      expect(ended).toMatchObject({ stopRequested: true, end: { kind: 'signal', signal: 'SIGTERM' } });
    });

    test('kills what ignores the stop after its grace, not before, and shows it as stopping meanwhile', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench, { command: bench.command('ignores-stop') });
      await runtime.start(spec);
      await bench.pass(300); // until it ignores signals
      await runtime.stop(spec.id, { graceMs: 600, reason: 'test' });
      expect((await runtime.observe(scope))[0]).toMatchObject({ state: 'stopping', stopRequested: true });
      const ended = await untilEnded(bench, runtime);
      expect(ended.end).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    });

    test('a second stop may shorten the grace', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench, { command: bench.command('ignores-stop') });
      await runtime.start(spec);
      await bench.pass(300);
      await runtime.stop(spec.id, { graceMs: 600_000, reason: 'patient' });
      await bench.again().stop(spec.id, { graceMs: 0, reason: 'not any more' });
      expect((await untilEnded(bench, runtime)).end).toEqual({ kind: 'signal', signal: 'SIGKILL' });
    });

    test('takes a stop of something unknown or ended as done', async () => {
      const { bench, runtime } = await open();
      await runtime.stop('nobody', { graceMs: 0, reason: 'test' });
      const spec = specOf(bench, { command: bench.command('exits-3') });
      await runtime.start(spec);
      await untilEnded(bench, runtime);
      await runtime.stop(spec.id, { graceMs: 0, reason: 'test' });
      expect((await runtime.observe(scope))[0]).toMatchObject({ end: { kind: 'exit', code: 3 }, stopRequested: false });
    });

    test('keeps environments and projects apart', async () => {
      const { bench, runtime } = await open();
      await runtime.start(specOf(bench));
      expect(await runtime.observe({ project: 'chat', environment: 'staging' })).toEqual([]);
      expect(await runtime.observe({ project: 'shop', environment: 'production' })).toEqual([]);
      expect(await runtime.observe(scope)).toHaveLength(1);
    });

    test('refuses to remove what runs, and forgets what has ended', async () => {
      const { bench, runtime } = await open();
      const spec = specOf(bench);
      await runtime.start(spec);
      await expect(runtime.remove(spec.id)).rejects.toMatchObject({ code: 'instance-running', retryable: true });
      await runtime.stop(spec.id, { graceMs: 5_000, reason: 'test' });
      await untilEnded(bench, runtime);
      await runtime.remove(spec.id);
      await runtime.remove(spec.id);
      expect(await runtime.observe(scope)).toEqual([]);
    });

    test('promises each port once', async () => {
      const { bench, runtime } = await open();
      const ports = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? runtime : bench.again()).allocatePort()),
      );
      expect(new Set(ports).size).toBe(12);
    });

    test('shows what an instance uses', async () => {
      const { bench, runtime } = await open();
      await runtime.start(specOf(bench));
      await until(bench, runtime, ([seen]) => (seen?.usage?.memory ?? 0) > 0, 'a figure for memory');
      expect((await runtime.observe(scope))[0]?.usage?.cpuMs).toBeGreaterThanOrEqual(0);
    });
  });
}

export function untilEnded(bench: Pick<RuntimeBench, 'pass'>, runtime: Runtime): Promise<InstanceObservation> {
  return until(bench, runtime, ([seen]) => seen?.state === 'ended', 'its end').then(
    ([seen]) => seen as InstanceObservation,
  );
}

function until(
  bench: Pick<RuntimeBench, 'pass'>,
  runtime: Runtime,
  condition: (seen: InstanceObservation[]) => boolean,
  what: string,
): Promise<InstanceObservation[]> {
  const look = async () => {
    const seen = await runtime.observe(scope);
    if (condition(seen)) return seen;
    await bench.pass(20);
    return null;
  };
  return waitFor(look, { what, timeout: 30_000 });
}
